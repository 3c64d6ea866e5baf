"""Flexible CP: speed-up of flexible degrees over the best static degree, by workload.

The best static degree of a workload is the fastest over all its micro-batches. The paper's data are
lengths of videos, which are not public, so no bar has a published value: the band is the published
range.
"""

import style
from published import Row, read_published, read_runs

TITLE = "Flexible CP: speed-up over the best static degree"
EXTREME = 2.24  # arXiv 2602.21788v2: the most, on extremely unbalanced batches


def short(workload):
    """The workload's name without the bounds of a distribution."""
    return workload.split(",min")[0].replace("_", " ")


def degree(row):
    """The last words of "best static degree 8"."""
    return " ".join(row.group[1].split()[-2:])


def compare(folder):
    found = {}
    for run in read_runs(folder / "speedup.csv"):
        found.setdefault(run["workload"], {})[run["label"]] = run["iteration_seconds"]
    rows = []
    for workload, times in found.items():
        flexible = times.pop("flexcp", None)
        if flexible is None or not times:
            continue
        best = min(times, key=times.get)
        degree = best.partition("degree=")[2].rstrip(")")
        group = (workload, f"best static degree {degree}")
        rows.append(Row("ideal", group, "flexcp", None, times[best] / flexible))
    return rows


def published_range():
    values = [float(r["speedup_over_best_static"]) for r in read_published("flexcp_speedup")]
    return min(values), max(values)


def closing(rows):
    ours = [row.ours for row in rows]
    low, high = published_range()
    return (f"Ours {min(ours):.2f} to {max(ours):.2f}; published {low} to {high} (v1, end to end), "
            f"up to {EXTREME} (v2, extremely unbalanced batches).")  # fmt: skip


def draw(rows, notes):
    fig, axes = style.figure("full", 2.3)
    low, high = published_range()
    axes.axhspan(low, high, color="#dddddd", label="published, v1")
    axes.axhline(EXTREME, color="black", linewidth=0.6, linestyle="--", label="published, v2: most")
    for x, row in enumerate(rows):
        axes.bar(x, row.ours, 0.6, **style.bar("flexcp"), label="" if x else "flexcp, simulated")
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(x, 0.08, f"{row.ours:.2f}", ha="center", va="bottom", bbox=box)
    room = style.characters(0.85 * style.WIDTHS["full"] / max(1, len(rows)))
    axes.set_xticks(
        range(len(rows)),
        ["\n".join([*style.broken(short(r.group[0]), room), degree(r)]) for r in rows],
    )
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("speed / best static degree")
    style.footer(fig, ["degree: the best static one", "64 Ascend 910B",
                       "512K tokens per micro-batch", "8 micro-batches", "a layer of an 8B model",
                       *notes])  # fmt: skip
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig
