"""FCP Fig. 13: MFU by tokens per GPU on 128 GPU-X, both passes together."""

import fcp
from published import read_runs

TITLE = "FCP Fig. 13: 16K to 80K tokens per GPU, 128 GPU-X"


def compare(folder):
    return fcp.rows_of(read_runs(folder / "fig13.csv"))


def draw(rows, notes):
    about = [
        "128 GPU-X",
        "both passes",
        "wlb_oracle: the better of zigzag and bytescale",
        fcp.WHISKERS,
    ]
    return fcp.draw_lines(rows, notes, "tokens", "K tokens per GPU", about)


def claims(rows):
    return [fcp.best_everywhere("fig13", rows, "best from 16K to 80K tokens per GPU")]
