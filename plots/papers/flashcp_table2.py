"""FlashCP Table 2: communication saving and imbalance of the heuristic and of the exact optimum.

The paper's table is at 128K; the other lengths show how far it depends on the length of a pack.
Means and extremes over packs. The exact solver has a value only for packs whose optimum it proved;
"heuristic, same packs" is the heuristic on these.
"""

import numpy as np

import style
from claims import Claim
from published import Row, read_published, read_runs, size

TITLE = "FlashCP Table 2: heuristic and exact optimum"
PAPER_TOKENS = 128 << 10
HEURISTIC, SAME, EXACT, BYTES = SOLVERS = (
    "heuristic", "heuristic, same packs", "exact", "exact, least bytes",
)  # fmt: skip
QUANTITIES = {"communication saving": "communication_saving",
              "imbalance ratio": "compute_imbalance"}  # fmt: skip


def solver_of(run):
    if "solver=exact" not in run["options"]:
        return HEURISTIC
    return BYTES if "objective=bytes" in run["options"] else EXACT


def tokens_of(group):
    return size(group[1].split()[0])


def compare(folder):
    paper = {row["solver"]: row for row in read_published("flashcp_table2_optimality")}
    found = {}
    for run in read_runs(folder / "table2.csv"):
        found.setdefault(size(run["tokens"]), {}).setdefault(solver_of(run), {})[run["seed"]] = run
    rows = []
    for tokens, solvers in sorted(found.items()):
        if EXACT in solvers:
            solvers[SAME] = {seed: solvers[HEURISTIC][seed] for seed in solvers[EXACT]}
        for quantity, metric in QUANTITIES.items():
            for name in SOLVERS:
                values = [run[metric] for run in solvers.get(name, {}).values()]
                if not values:
                    continue
                published = None
                if tokens == PAPER_TOKENS and name in paper:
                    published = float(paper[name][quantity.replace(" ", "_")])
                group = (quantity, f"{tokens >> 10}K tokens", f"{len(values)} packs")
                rows.append(Row("plans", group, name, published, float(np.mean(values)),
                                min(values), max(values)))  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 2.4, columns=2)
    shown = (HEURISTIC, EXACT, BYTES)
    for axes, quantity in zip(panels, QUANTITIES, strict=True):
        for i, name in enumerate(shown):
            mine = [r for r in rows if r.group[0] == quantity and r.strategy == name]
            x = [np.log2(tokens_of(row.group)) + 0.06 * (i - 1) for row in mine]
            below = [row.ours - row.low for row in mine]
            above = [row.high - row.ours for row in mine]
            axes.errorbar(x, [row.ours for row in mine], [below, above],
                          color=style.COLOURS[i], marker="os^"[i], markersize=4, linewidth=0.8,
                          elinewidth=0.5, capsize=2, label=name)  # fmt: skip
            for row, at in zip(mine, x, strict=True):
                if row.published is not None:
                    axes.plot(at, row.published, marker="os^"[i], markersize=7,
                              markerfacecolor="white", color=style.COLOURS[i],
                              zorder=5)  # fmt: skip
        every = sorted({tokens_of(row.group) for row in rows})
        axes.set_xticks([np.log2(tokens) for tokens in every], [f"{t >> 10}K" for t in every])
        axes.set_xlabel("tokens of a pack")
        axes.set_title(quantity, loc="left")
        axes.grid(axis="y")
    style.footer(fig, ["Pile, 4 ranks", "published, at 128K: large, unfilled",
                       "whiskers: extremes of packs", *notes])  # fmt: skip
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig


def claims(rows):
    """At the paper's length, within 10 points of saving and 5 of imbalance."""
    found = []
    for row in rows:
        if row.published is None:
            continue
        near = 0.1 if "saving" in row.group[0] else 0.05
        better = row.ours > row.published if "saving" in row.group[0] else row.ours < row.published
        holds = "yes" if abs(row.ours - row.published) <= near else "more" if better else "no"
        found.append(
            Claim("table2", f"{row.group[0]}, {row.strategy}, 128K tokens, 4 ranks",
                  f"{row.published:.2f}", f"{row.ours:.2f} (n = {row.group[2].split()[0]})",
                  holds)
        )  # fmt: skip
    return found
