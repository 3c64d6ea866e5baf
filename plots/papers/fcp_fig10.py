"""FCP Fig. 10: attention MFU over that of one GPU with all lengths equal to the mean.

"As the paper" is fcp without local search, which sends a whole unit for every pair of units. "Own
layout" is the same, but the tokens are at home where their units are, as with every other strategy.
Means and extremes over three seeds, for the forward pass and for both passes together.
"""

import numpy as np

import style
from published import Row, read_published, read_runs

TITLE = "FCP Fig. 10: normalised MFU"
KINDS = {
    "fcp": "as here",
    "fcp (dedup=false,local_search=false)": "as the paper",
    "fcp (dedup=false,local_search=false,reshuffle=false)": "own layout",
}
STRATEGIES = ("fcp", "bytescale", "zigzag")
DIRECTIONS = {"forward": "forward", "both": "forward and backward"}


def normalised(runs):
    """{(direction, ranks, label): percent of each seed}."""
    whole = {run["direction"]: run["tflops_per_rank"] for run in runs if run["ranks"] == 1}
    found = {}
    for run in runs:
        if run["ranks"] > 1:
            key = (run["direction"], int(run["ranks"]), run["label"])
            share = 100 * run["tflops_per_rank"] / whole[run["direction"]]
            found.setdefault(key, []).append(share)
    return found


def compare(folder):
    published = {
        (row["strategy"], int(row["ranks"])): float(row["normalised_mfu_percent"])
        for row in read_published("fcp_fig10_normalised_mfu")
    }
    rows = []
    for (direction, ranks, name), values in sorted(
        normalised(read_runs(folder / "fig10.csv")).items()
    ):
        strategy = name.split(" (")[0]
        kinds = [KINDS[name]] if strategy == "fcp" else ["as the paper"]
        rows += [
            Row(f"{kind}, {DIRECTIONS[direction]}", (f"{ranks} ranks",), strategy,
                published.get((strategy, ranks)), float(np.mean(values)), min(values),
                max(values), "%")
            for kind in kinds
        ]  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 2.3, columns=2, sharey=True)
    for axes, direction in zip(panels, DIRECTIONS.values(), strict=True):
        mine = [row for row in rows if row.variant == f"as the paper, {direction}"]
        for strategy in STRATEGIES:
            points = [row for row in mine if row.strategy == strategy]
            ranks = [int(row.group[0].split()[0]) for row in points]
            order = np.argsort(ranks)
            ranks = np.array(ranks)[order]
            points = [points[i] for i in order]
            ours = [row.ours for row in points]
            axes.errorbar(
                ranks, ours,
                yerr=[[r.ours - r.low for r in points], [r.high - r.ours for r in points]],
                capsize=2, elinewidth=0.5, label=f"{strategy}, simulated", **style.line(strategy),
            )  # fmt: skip
            if points and points[0].published is not None:
                look = {**style.line(strategy), "markerfacecolor": "white", "linestyle": "--"}
                axes.plot(ranks, [row.published for row in points],
                          label=f"{strategy}, published", **look)  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xticks(ranks, [str(n) for n in ranks])
        axes.set_ylim(0, 105)
        axes.set_xlabel("ranks")
        axes.set_title(direction, loc="left")
    panels[0].set_ylabel("normalised MFU, %")
    style.footer(fig, ["GPU-Y", "32K tokens per rank", "lognormal, mean 16K, sigma 2",
                       "fcp without local search and deduplication",
                       "whiskers: extremes of three seeds", *notes])  # fmt: skip
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig
