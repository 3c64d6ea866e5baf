"""Flexible CP: time to schedule a global batch, next to the paper's total and its solver's part.

Ours is the time of the whole plan with every transfer of both passes, so it includes the solver's.
"""

import h5py

import style
from claims import Claim, yes
from published import Row, read_published, read_runs

TITLE = "Flexible CP: time to schedule a global batch"


def sequences(path):
    """Mean number of documents in a pack."""
    with h5py.File(path) as file:
        packs = [name for name in file if name.startswith("pack_")]
        counts = [len(file[f"{name}/problem/document_lengths"]) for name in packs]
    return sum(counts) / len(counts)


def compare(folder):
    runs = read_runs(folder / "scheduling.csv")
    published = read_published("flexcp_scheduling")
    rows = []
    for run in sorted(runs, key=lambda run: (run["ranks"], run["attention_flops"])):
        count = sequences(run["file"])
        batch = min((int(r["global_batch"]) for r in published), key=lambda b: abs(b - count))
        paper = next(r for r in published if int(r["devices"]) == run["ranks"]
                     and int(r["global_batch"]) == batch)  # fmt: skip
        ours = 1e3 * run["planning_seconds"] / run["packs"]
        group = (f"{run['ranks']:.0f} devices", f"batch {batch}")
        rows.append(Row("all", group, "scheduling", float(paper["schedule_ms"]), ours, unit="ms"))
        if paper["solver_ms"]:
            rows.append(Row("all", group, "solver", float(paper["solver_ms"]), ours, unit="ms"))
    return rows


def closing(rows):
    worst = max(row.ours / row.published for row in rows if row.strategy == "solver")
    ours = [row.ours for row in rows]
    return (f"A whole plan takes {min(ours):.2f} to {max(ours):.2f} ms, at most {100 * worst:.0f}% "
            "of the published time of the solver by itself.")  # fmt: skip


def draw(rows, notes):
    rows_of = {name: [r for r in rows if r.strategy == name] for name in ("scheduling", "solver")}
    groups = [row.group for row in rows_of["scheduling"]]
    fig, axes = style.figure("column", 2.2)
    bars = (("published scheduling", "scheduling", "published", "white", ""),
            ("published solver", "solver", "published", "#bbbbbb", "///"),
            ("whole plan here", "scheduling", "ours", style.COLOURS[0], ""))  # fmt: skip
    for j, (name, strategy, value, colour, hatch) in enumerate(bars):
        at = [groups.index(row.group) + (j - 1) * 0.27 for row in rows_of[strategy]]
        axes.bar(at, [getattr(row, value) for row in rows_of[strategy]], 0.27, label=name,
                 facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.4)  # fmt: skip
    axes.set_yscale("log")
    axes.set_xticks(range(len(groups)), ["\n".join(group) for group in groups])
    axes.set_ylabel("ms")
    style.footer(fig, ["ours: CPU time of the machine that planned", *notes])
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig


def claims(rows):
    """Plans take no longer than the paper's scheduling."""
    return [
        Claim("scheduling", f"time to schedule, {', '.join(row.group)}", f"{row.published:.0f} ms",
              f"{row.ours:.2g} ms, the whole plan", yes(row.ours <= row.published))
        for row in rows if row.strategy == "scheduling"
    ]  # fmt: skip
