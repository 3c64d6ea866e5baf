#!/usr/bin/env python3
"""Reads result files of cpbench into a table, with h5py and pandas.

    scripts/examples/read_results.py results/runs/quick

results/SCHEMA.md describes every dataset. `cpbench show DIR --format csv` gives the same numbers to
programs that do not read HDF5.
"""

import sys
from pathlib import Path

import h5py


def row(path):
    """What was asked for, and every metric, of one run; and the slowest rank of its first pack."""
    with h5py.File(path) as file:
        found = {name: value.decode() for name, value in file.attrs.items()}
        found |= {name: float(metric[()]) for name, metric in file["metrics"].items()}
        if "pack_0/samples" in file:
            seconds = file["pack_0/samples/seconds"][:]  # [iteration, rank]
            found["slowest_rank"] = int(seconds.mean(axis=0).argmax())
    return found


def rows(folder):
    return [row(path) for path in sorted(Path(folder).rglob("*.h5"))]


if __name__ == "__main__":
    try:
        import pandas
    except ImportError:
        sys.exit("read_results: requires pandas (pip install pandas); without it, use "
                 "cpbench show DIR --format csv")  # fmt: skip
    table = pandas.DataFrame(rows(sys.argv[1]))
    by_problem = table[table.status == "ok"].groupby(["workload", "ranks"])
    print(by_problem[["strategy", "iteration_seconds", "wire_bytes"]].head(30).to_string())
