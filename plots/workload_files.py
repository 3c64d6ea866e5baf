"""Reads what `cpbench workload NAME --format json` printed: document lengths that nothing ran on.

load("results/runs/lengths")    # [Workload(name="pile", ...)] of every *.json file in the folder
"""

import json
from dataclasses import dataclass

import numpy as np

from results import ResultError, files_in


@dataclass
class Workload:
    name: str
    origin: str  # "4096 documents drawn with seed 1"
    lengths: list  # ascending: the edges of the bins in which the lengths were counted
    documents: list  # how many documents are at most so long, per edge
    tokens: list  # how many tokens these documents hold


def load(*paths):
    return [read(file) for path in paths for file in files_in(path, ".json")]


def read(path):
    try:
        data = json.loads(path.read_text())
        bins = data["bins"]
        return Workload(
            data["name"],
            f"{data['documents']} documents drawn with seed {data['seed']}",
            [data["shortest"], *(min(b["to"] - 1, data["longest"]) for b in bins)],
            [0, *np.cumsum([b["documents"] for b in bins])],
            [0, *np.cumsum([b["tokens"] for b in bins])],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{path}: not a workload; `cpbench workload NAME --format json` writes one "
            f"({type(error).__name__}: {error})"
        ) from error
