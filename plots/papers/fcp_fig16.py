"""FCP Fig. 16 (appendix A.4): MFU with bimodal lengths on GPU-X, both passes together."""

import fcp
from published import read_runs

TITLE = "FCP Fig. 16: bimodal lengths"


def compare(folder):
    return fcp.rows_of(read_runs(folder / "fig16.csv"), (*fcp.SYSTEMS, fcp.STAYING))


def draw(rows, notes):
    about = ["GPU-X", "32K tokens per GPU", "both passes",
             "wlb_oracle: the better of zigzag and bytescale", fcp.WHISKERS]  # fmt: skip
    return fcp.draw_lines(rows, notes, "ranks", "GPUs", about)


def claims(rows):
    return [fcp.best_everywhere("fig16", rows)]
