"""FCP Fig. 14: forward MFU on 8 to 48 GPU-Y, over that of FlashAttention-4 on one GPU."""

from dataclasses import replace

import fcp
from claims import Claim, yes
from published import read_runs

TITLE = "FCP Fig. 14: 8 to 48 GPU-Y, forward"
LEAST = 70  # percent of one GPU's FlashAttention-4; the paper's text


def compare(folder):
    runs = read_runs(folder / "fig14.csv")
    one = next(run for run in runs if run["ranks"] == 1)
    rows = fcp.rows_of([run for run in runs if run["ranks"] > 1])
    return [
        replace(row, ours=row.ours / one["mfu"], low=row.low / one["mfu"],
                high=row.high / one["mfu"])
        for row in rows
    ]  # fmt: skip


def draw(rows, notes):
    about = ["GPU-Y", "32K tokens per GPU", "100%: one GPU, lengths of 16K",
             "wlb_oracle: the better of zigzag and bytescale", fcp.WHISKERS]  # fmt: skip
    fig = fcp.draw_lines(rows, notes, "ranks", "GPUs", about)
    fig.axes[0].set_ylabel("of one GPU, %")
    return fig


def claims(rows):
    ours = [row.ours for row in rows if row.strategy == "fcp"]
    return [
        Claim("fig14", "above 70% of one GPU's FlashAttention-4", "> 70%",
              f"{min(ours):.0f} to {max(ours):.0f}%", yes(min(ours) > LEAST)),
        fcp.best_everywhere("fig14", rows),
    ]  # fmt: skip
