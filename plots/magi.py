"""MagiAttention's published table next to our runs: TFLOP/s per GPU, forward and backward.

The backward pass is what both passes take longer than the forward pass. The published value is the
mean rate over packs, and so is ours; whiskers are the extremes over packs.
"""

import numpy as np

from published import read_published, read_runs
from whole_runs import Rate

BACKWARD_OVER_FORWARD = 2.5  # FLOPs, there as here
NAMES = {"magi": ("magi (a2av)", "magi (native)")}  # its two ways to communicate


def compare(folder, figure, kind):
    published = {(row["strategy"], row["direction"]): float(row["tflops_per_gpu"])
                 for row in read_published(f"magi_{figure}")}  # fmt: skip
    seconds, flops = {}, {}
    for run in read_runs(folder / f"{figure}.csv"):
        key = (run["profile"], run["strategy"])
        seconds.setdefault(key, {})[run["workload"], run["direction"]] = run["iteration_seconds"]
        if run["direction"] == "forward":
            flops[run["workload"]] = run["attention_flops"] / run["ranks"]
    rows = []
    for direction in ("forward", "backward"):
        for (profile, strategy), times in seconds.items():
            rates = []
            for pack, work in flops.items():
                forward, both = times[pack, "forward"], times[pack, "both"]
                if direction == "forward":
                    rates.append(work / forward / 1e12)
                else:
                    rates.append(BACKWARD_OVER_FORWARD * work / (both - forward) / 1e12)
            rows += [
                Rate(profile, (kind, direction), name, published[name, direction],
                     float(np.mean(rates)), min(rates), max(rates), "TFLOP/s")
                for name in NAMES.get(strategy, (strategy,))
            ]  # fmt: skip
    return rows
