"""ring-flash-attention's benchmark: packs of causal documents on 8 A100.

A value is the number of iterations in a second of the four packs in turn. "One GPU" is an eighth of
the speed at which one GPU attends documents of an eighth of these lengths.
"""

import numpy as np

import whole_runs
from published import read_published, read_runs
from whole_runs import Rate, variants_of

TITLE = "ring-flash-attention: packs of causal documents on 8 A100"
DIRECTIONS = {"forward": "forward", "both": "training"}
table, closing, notes = whole_runs.table, whole_runs.closing, whole_runs.notes


def compare(folder):
    published = {(row["strategy"], row["direction"]): float(row["iterations_per_second"])
                 for row in read_published("ring_flash_attention_varlen")}  # fmt: skip
    seconds, profiles = {}, {}
    for run in read_runs(folder / "varlen.csv"):
        alone = run["ranks"] == 1
        name = whole_runs.ALONE if alone else run["strategy"]
        profiles.setdefault(name, set()).add(run["profile"])
        times = seconds.setdefault((run["profile"], DIRECTIONS[run["direction"]], name), [])
        times.append(run["iteration_seconds"] * (8 if alone else 1))
    return [
        Rate(variant, ("documents", direction), name, published[name, direction],
             1 / float(np.mean(times)), 1 / max(times), 1 / min(times), "iter/s")
        for variant, of_strategy in variants_of(profiles)
        for direction in DIRECTIONS.values()
        for name, profile in of_strategy.items()
        if (times := seconds[profile, direction, name])
    ]  # fmt: skip


def draw(rows, parts):
    about = ["8 A100", "64K tokens", "32 query, 8 KV heads", "whiskers: extremes of 4 packs"]
    return whole_runs.draw(rows, parts, about)


def claims(rows):
    return whole_runs.claims("varlen", rows)
