"""ring-flash-attention's benchmark: packs of causal documents on 8 A100.

A value is the number of iterations in a second of the four packs in turn. "One GPU" is an eighth of
the speed at which one GPU attends documents of an eighth of these lengths.
"""

import numpy as np

import whole_runs
from published import read_published, read_runs
from whole_runs import Rate

TITLE = "ring-flash-attention: packs of causal documents on 8 A100"
DIRECTIONS = {"forward": "forward", "both": "training"}
table, closing = whole_runs.table, whole_runs.closing


def compare(folder):
    published = {(row["strategy"], row["direction"]): float(row["iterations_per_second"])
                 for row in read_published("ring_flash_attention_varlen")}  # fmt: skip
    seconds = {}
    for run in read_runs(folder / "varlen.csv"):
        alone = run["ranks"] == 1
        key = (
            run["profile"],
            DIRECTIONS[run["direction"]],
            "one GPU" if alone else run["strategy"],
        )
        seconds.setdefault(key, []).append(run["iteration_seconds"] * (8 if alone else 1))
    return [
        Rate(profile, ("documents", direction), name, published[name, direction],
             1 / float(np.mean(times)), 1 / max(times), 1 / min(times), "iter/s")
        for (profile, direction, name), times in seconds.items()
    ]  # fmt: skip


def draw(rows, notes):
    about = ["8 A100", "64K tokens", "32 query, 8 KV heads", "whiskers: extremes of 4 packs"]
    return whole_runs.draw(rows, notes, about)
