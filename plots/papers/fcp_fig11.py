"""FCP Fig. 11: weak scaling of attention MFU, 16 to 256 GPU-X, forward and backward.

Bars of the paper carry no numbers that can be recovered, so its claims are what is compared. The
abstract's 1.13 to 2.21 is read as fcp over each baseline at the largest scale.
"""

import fcp
from claims import Claim, yes
from error_tables import markdown
from published import read_runs

TITLE = "FCP Fig. 11: weak scaling of MFU on GPU-X"
LOW, HIGH = 1.13, 2.21  # the abstract's range
CLOSE = 0.1  # a ratio within 10% of a published one agrees with it


def compare(folder):
    return fcp.rows_of(read_runs(folder / "fig11.csv"), (*fcp.SYSTEMS, fcp.STAYING, fcp.IMPROVED))


def draw(rows, notes):
    rows = [row for row in rows if row.strategy != fcp.IMPROVED]
    about = ["32K tokens per GPU", "wlb_oracle: the better of zigzag and bytescale",
             fcp.WHISKERS]  # fmt: skip
    return fcp.draw_lines(rows, notes, "ranks", "GPUs", about)


def mean_at(rows, ranks):
    """{(variant, strategy): MFU} at so many ranks."""
    return {
        (row.variant, row.strategy): row.ours for row in rows if fcp.place(row, "ranks") == ranks
    }


def claims(rows):
    found = [fcp.best_everywhere("fig11", rows)]
    largest = [row for row in rows if fcp.place(row, "ranks") == 256]
    over = [ratio for _, ratio in fcp.ratios(largest)]
    if over:
        low, high = min(over), max(over)
        agrees = abs(low / LOW - 1) <= CLOSE and abs(high / HIGH - 1) <= CLOSE
        inside = [LOW * (1 - CLOSE) <= ratio <= HIGH * (1 + CLOSE) for ratio in over]
        found.append(
            Claim("abstract", "attention MFU over the baselines, 256 GPUs", f"{LOW} to {HIGH}x",
                  f"{low:.2f} to {high:.2f}x; {sum(inside)} of {len(inside)} ratios in the range",
                  yes(agrees))
        )  # fmt: skip
    few, many = mean_at(rows, 16), mean_at(rows, 256)
    scaling = {at: many[at] / few[at] for at in few.keys() & many.keys() if at[1] == "fcp"}
    if scaling:
        least = min(scaling.values())
        found.append(
            Claim("abstract", "near-linear scaling to 256 GPUs", "yes",
                  f"MFU at 256 is at least {least:.2f} of that at 16", yes(least >= 0.9))
        )  # fmt: skip
    spreads = {}
    for (variant, strategy), value in few.items():
        if strategy in fcp.SYSTEMS:
            spreads.setdefault(variant, []).append(value)
    if spreads:
        most = max(max(values) / min(values) for values in spreads.values())
        found.append(
            Claim("fig11", "all alike at 16 GPUs", "yes",
                  f"the largest MFU is up to {most:.2f} times the least", yes(most <= 1.1))
        )  # fmt: skip
    below = {
        variant: many[variant, "bytescale"] / value
        for (variant, strategy), value in many.items() if strategy == "zigzag"
    }  # fmt: skip
    if below:
        text = ", ".join(f"{ratio:.2f} ({variant})" for variant, ratio in below.items())
        found.append(Claim("fig11", "ByteScale below the ring at 256 GPUs", "yes",
                           f"bytescale over zigzag: {text}",
                           yes(all(ratio < 1 for ratio in below.values()))))  # fmt: skip
    return found


def closing(rows):
    """fcp's MFU over that of each baseline."""
    over = {(row.variant, row.group, row.strategy): ratio for row, ratio in fcp.ratios(rows)}
    places = list(dict.fromkeys((row.variant, row.group) for row in rows))
    lines = [
        (variant, group[0],
         *(f"{over[variant, group, name]:.2f}" if (variant, group, name) in over else "-"
           for name in fcp.BASELINES))
        for variant, group in places
    ]  # fmt: skip
    return (f"fcp over each baseline; the abstract has {LOW} to {HIGH}.\n\n"
            + markdown(("lengths and pass", "GPUs", *fcp.BASELINES), lines))  # fmt: skip
