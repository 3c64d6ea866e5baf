"""FlashCP Table 2: communication saving and imbalance of the heuristic and of the exact optimum.

Means and extremes over the packs that both solvers planned.
"""

import numpy as np

import style
from published import Row, read_published, read_runs

TITLE = "FlashCP Table 2: heuristic and exact optimum"
SOLVERS = {"flashcp": "heuristic", "flashcp (solver=exact)": "exact"}
QUANTITIES = {"communication_saving": "communication_saving",
              "imbalance_ratio": "compute_imbalance"}  # fmt: skip


def compare(folder):
    published = {row["solver"]: row for row in read_published("flashcp_table2_optimality")}
    by_solver = {name: {} for name in SOLVERS}
    for run in read_runs(folder / "table2.csv"):
        by_solver[run["label"]][run["seed"]] = run
    seeds = sorted(set.intersection(*(set(found) for found in by_solver.values())))
    rows = []
    for quantity, metric in QUANTITIES.items():
        for name, solver in SOLVERS.items():
            values = [by_solver[name][seed][metric] for seed in seeds]
            if values:
                group = (quantity.replace("_", " "), f"{len(seeds)} packs")
                rows.append(
                    Row("plans", group, solver, float(published[solver][quantity]),
                        float(np.mean(values)), min(values), max(values))
                )  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("column", 1.9, columns=2)
    groups = list(dict.fromkeys(row.group for row in rows))
    for axes, group in zip(panels, groups, strict=False):
        for x, row in enumerate(r for r in rows if r.group == group):
            colour = (style.colour("flashcp"), style.COLOURS[7])[x]
            axes.bar(
                x - 0.2, row.published, 0.4, facecolor="white", edgecolor=colour, linewidth=0.8
            )
            axes.bar(x + 0.2, row.ours, 0.4, facecolor=colour, edgecolor="black", linewidth=0.4,
                     yerr=[[row.ours - row.low], [row.high - row.ours]], capsize=2,
                     error_kw={"elinewidth": 0.5, "capthick": 0.5})  # fmt: skip
        axes.set_xticks((0, 1), [row.strategy for row in rows if row.group == group])
        axes.set_title(group[0])
    style.footer(fig, ["published: unfilled", "ours: filled", "whiskers: extremes of packs",
                       f"Pile, 4 ranks, 8K tokens, {groups[0][1]}", *notes])  # fmt: skip
    return fig
