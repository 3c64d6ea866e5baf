"""Published values and ours: reads both, and pairs them as rows, one per bar of a figure.

runs = read_runs("results/runs/reproduce/flashcp/fig5.csv")      # written by `cpbench reproduce`
published = read_published("flashcp_fig5_speedup")               # rows of results/published
Row("ideal", ("pile", "8 ranks"), "flashcp", 1.31, 1.29).error   # -0.015
"""

import contextlib
import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PUBLISHED = Path(__file__).resolve().parent.parent / "results/published"
PACKS = PUBLISHED.parent / "reproduced/flashcp/packs.csv"
# A variant is a profile on packs chosen to be like the paper's, or, if its name ends with these
# words, on the first packs of the workload.
FIRST = "first seeds"


@dataclass(frozen=True)
class Row:
    """One bar: the published value next to ours; `low` and `high` are our extremes over seeds."""

    variant: str  # "ideal", "flashcp-paper", "ideal, first seeds"
    group: tuple  # the words below a group of bars
    strategy: str  # its label in a figure
    published: float | None  # None: the paper does not have it
    ours: float
    low: float | None = None
    high: float | None = None
    unit: str = ""  # "": a ratio; "%": a share, whose error is in points; "ms": a time

    @property
    def error(self):
        """The relative error; that of a share is in percentage points."""
        if self.unit == "%":
            return self.ours - self.published
        return self.ours / self.published - 1


def rows_of_csv(path):
    """The rows as dictionaries; lines that begin with # are comments."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def read_published(name):
    return rows_of_csv(PUBLISHED / f"{name}.csv")


def chosen_seeds():
    """{workload: seeds of the packs that are like the paper's}"""
    chosen = defaultdict(set)
    for row in rows_of_csv(PACKS):
        if row["chosen"] == "yes":
            chosen[row["workload"]].add(int(row["seed"]))
    return chosen


def read_runs(path):
    """The runs that succeeded, as dictionaries whose numbers are floats."""
    runs = []
    for row in rows_of_csv(path):
        if row["status"] != "ok":
            continue
        for name, value in row.items():
            if name in ("strategy", "options", "workload", "file", "run_id", "plan_hash"):
                continue
            with contextlib.suppress(ValueError):
                row[name] = float(value)
        row["label"] = row["strategy"] + (f" ({row['options']})" if row["options"] else "")
        runs.append(row)
    return runs


def size(text):
    """The tokens of "128K" or 131072.0."""
    if isinstance(text, float):
        return int(text)
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]]


def variants(runs):
    """[(variant, its runs)] of FlashCP's runs; a seed may belong to both kinds of packs."""
    chosen = chosen_seeds()
    profiles = sorted({run["profile"] for run in runs})  # "ideal" comes first
    of = {profile: [run for run in runs if run["profile"] == profile] for profile in profiles}
    return [
        (p, [run for run in of[p] if run["seed"] in chosen[run["workload"]]]) for p in profiles
    ] + [(f"{p}, {FIRST}", [run for run in of[p] if run["seed"] <= 5]) for p in profiles]


def drawn_variants(rows):
    """The variants to draw: of those on the first packs only `ideal`; the tables have them all."""
    every = dict.fromkeys(row.variant for row in rows)
    return [name for name in every if FIRST not in name or name.startswith("ideal")]


def speedups(runs, key, value="iteration_seconds", baseline="allgather"):
    """{(group, label): (ratio of the sums over seeds, least and largest ratio of a seed)}."""
    by_group = defaultdict(lambda: defaultdict(dict))
    for run in runs:
        by_group[key(run)][run["label"]][run["seed"]] = run[value]
    found = {}
    for group, strategies in by_group.items():
        base = strategies.get(baseline, {})
        for name, times in strategies.items():
            seeds = sorted(base.keys() & times.keys())
            if not seeds:
                continue
            each = [base[seed] / times[seed] for seed in seeds]
            whole = sum(base[seed] for seed in seeds) / sum(times[seed] for seed in seeds)
            found[group, name] = (whole, min(each), max(each))
    return found
