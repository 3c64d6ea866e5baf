"""MagiAttention's published table next to our runs: TFLOP/s per GPU, forward and backward.

The backward pass is what both passes take longer than the forward pass. The published value is the
mean rate over packs, and so is ours; whiskers are the extremes over packs.
"""

import numpy as np

from published import read_published, read_runs
from whole_runs import Rate, variants_of

BACKWARD_OVER_FORWARD = 2.5  # FLOPs, there as here
NAMES = {"magi": ("magi (a2av)", "magi (native)")}  # its two ways to communicate


def compare(folder, figure, kind):
    published = {(row["strategy"], row["direction"]): float(row["tflops_per_gpu"])
                 for row in read_published(f"magi_{figure}")}  # fmt: skip
    seconds, flops, profiles = {}, {}, {}
    for run in read_runs(folder / f"{figure}.csv"):
        profiles.setdefault(run["strategy"], set()).add(run["profile"])
        times = seconds.setdefault((run["profile"], run["strategy"]), {})
        times[run["workload"], run["direction"]] = run["iteration_seconds"]
        if run["direction"] == "forward":
            flops[run["workload"]] = run["attention_flops"] / run["ranks"]
    rows = []
    for variant, of_strategy in variants_of(profiles):
        for direction in ("forward", "backward"):
            for strategy, profile in of_strategy.items():
                rates = list(rates_of(seconds[profile, strategy], flops, direction))
                rows += [
                    Rate(variant, (kind, direction), name, published[name, direction],
                         float(np.mean(rates)), min(rates), max(rates), "TFLOP/s")
                    for name in NAMES.get(strategy, (strategy,))
                ]  # fmt: skip
    return rows


def rates_of(seconds, flops, direction):
    """TFLOP/s per GPU of each pack, from the FLOPs of its forward pass."""
    for pack, work in flops.items():
        forward, both = seconds[pack, "forward"], seconds[pack, "both"]
        if direction == "forward":
            yield work / forward / 1e12
        else:
            yield BACKWARD_OVER_FORWARD * work / (both - forward) / 1e12
