"""FCP Fig. 10: MFU over that of one GPU with all lengths equal to the mean.

The paper calls it compute efficiency without imbalance, and FCP's loss is mainly the SMs set
apart. So it is read as the time in kernels ("kernels only"), with all lengths equal. The whole
time, and the lengths of magi_pretrain, are next to it.
"""

import numpy as np

import fcp
import style
from claims import Claim, yes
from published import Row, read_published, read_runs

TITLE = "FCP Fig. 10: normalised MFU"
READINGS = {"kernels only": True, "whole time": False}
READING = "equal lengths, kernels only"  # ours of the paper's words
LOSS = 10  # percent; the paper's text


def compare(folder):
    published = {
        (row["strategy"], int(row["ranks"])): float(row["normalised_mfu_percent"])
        for row in read_published("fcp_fig10_normalised_mfu")
    }
    runs = read_runs(folder / "fig10.csv")
    rows = []
    for reading, kernels_only in READINGS.items():
        of_one_gpu = {}
        for run in runs:
            if run["ranks"] == 1:
                lengths = "equal lengths" if run["workload"] == "fixed:tokens=16K" else "trace"
                of_one_gpu.setdefault(lengths, []).append(run)
        one = {
            (lengths, point.direction): values[0]
            for lengths, mine in of_one_gpu.items()
            for point, values in fcp.mfu(mine, kernels_only).items()
        }
        found = fcp.mfu([run for run in runs if run["ranks"] > 1], kernels_only)
        for point, values in sorted(found.items()):
            lengths = point.lengths if point.lengths == "equal lengths" else "trace"
            shares = [100 * value / one[lengths, point.direction] for value in values]
            rows.append(
                Row(f"{point.lengths}, {reading}, {point.direction}", (f"{point.ranks} ranks",),
                    point.label, published.get((point.label, point.ranks)),
                    float(np.mean(shares)), min(shares), max(shares), "%")
            )  # fmt: skip
    return rows


def ranks_of(row):
    return int(row.group[0].split()[0])


def draw(rows, notes):
    variants = [name for name in dict.fromkeys(row.variant for row in rows) if "forward" in name]
    fig, panels, _ = style.panels(len(variants), 2, 2.1, "full", sharey=True)
    for axes, variant in zip(panels, variants, strict=True):
        for strategy in ("fcp", "zigzag"):
            points = sorted(
                (ranks_of(row), row) for row in rows
                if row.variant == variant and row.strategy == strategy
            )  # fmt: skip
            ranks = [x for x, _ in points]
            axes.plot(ranks, [row.ours for _, row in points], label=f"{strategy}, simulated",
                      **style.line(strategy))  # fmt: skip
            look = {**style.line(strategy), "markerfacecolor": "white", "linestyle": "--"}
            axes.plot(ranks, [row.published for _, row in points],
                      label=f"{strategy}, published", **look)  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xticks(ranks, [str(x) for x in ranks])
        axes.tick_params(axis="x", which="minor", length=0)
        axes.set_title(variant, loc="left")
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel("normalised MFU, %")
    panels[-1].set_xlabel("GPUs")
    style.footer(fig, ["GPU-X", "32K tokens per GPU", "100%: one GPU, lengths equal to the mean",
                       *notes])  # fmt: skip
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig


def claims(rows):
    mine = [row for row in rows if row.variant == f"{READING}, forward"]
    ours = [row.ours for row in mine if row.strategy == "fcp"]
    rings = {ranks_of(row): row.ours for row in mine if row.strategy == "zigzag"}
    low, high = min(ours), max(ours)
    return [
        Claim("fig10", "fcp loses less than 10%", "92.9 to 94.7%",
              f"{low:.1f} to {high:.1f}% ({READING}, forward)", yes(low > 100 - LOSS)),
        Claim("fig10", "the ring falls with more GPUs", "69.6 to 27.3%",
              f"{rings[16]:.1f} to {rings[256]:.1f}%", yes(rings[256] < rings[16] / 2)),
    ]  # fmt: skip
