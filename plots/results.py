"""Reads result files (results/SCHEMA.md) into plain objects, and groups what may be compared.

runs = load_runs("results/runs/quick")
runs[0].strategy, runs[0].packs[0].seconds       # seconds: [iteration, rank]
"""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

SCHEMA_MAJOR = 1
ACTIVITIES = ("attention", "merge", "copy", "send", "wait", "layer", "transfer", "host")


# In the order of the numbers in files.
MASKS = (
    "document_causal",
    "causal",
    "document_full",
    "sliding_window",
    "block_causal",
    "chunked",
    "prefix",
)


class ResultError(Exception):
    """An error that the user can correct; its text is one line."""


class NothingToDraw(ResultError):
    """There are no results, or they hold nothing that a figure shows."""


@dataclass
class Pack:
    document_lengths: np.ndarray
    cached_tokens: np.ndarray  # per document
    parents: np.ndarray  # per document; -1: none
    rules: list  # (mask, window) per document; empty: those of the run hold for all
    cells_per_rank: np.ndarray | None = None  # (query, key) pairs; None: no plan could be made
    bytes_out: np.ndarray | None = None  # per rank, both passes
    properties: dict = field(default_factory=dict)  # what the strategy reports about the plan
    seconds: np.ndarray | None = None  # [iteration, rank]; None: did not run
    attention_seconds: np.ndarray | None = None
    events: int = 0  # of the traced iteration


@dataclass
class Plan:
    """The forward pass: who owns and who attends what."""

    tokens: int
    home: list  # per rank: ranges [n, 2]
    attends: list  # (rank, query ranges, key ranges, head begin, head end)


@dataclass
class Timeline:
    """The traced iteration as columns of equal length; `activity` is an index into ACTIVITIES."""

    rank: np.ndarray
    backward: np.ndarray  # bool
    step: np.ndarray
    activity: np.ndarray
    start: np.ndarray  # seconds
    end: np.ndarray


@dataclass
class Run:
    path: Path
    attributes: dict
    metrics: dict
    descriptions: dict  # one line for each metric
    packs: list = field(default_factory=list)

    def __getattr__(self, name):
        try:
            return self.__dict__["attributes"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def label(self):
        """How figures call the strategy: its name, and the options that were set."""
        return f"{self.strategy} ({self.options})" if self.options else self.strategy

    @property
    def simulated(self):
        return self.attributes["simulated"] == "yes" or self.backend == "simulate"

    @property
    def seconds(self):
        """The time of an iteration, measured or simulated; None if it did not run."""
        return self.metrics.get("iteration_seconds") if self.status == "ok" else None

    def timeline(self, pack=0):
        with h5py.File(self.path) as file:
            group = file[f"pack_{pack}/timeline"]
            names = ("rank", "pass", "step", "activity", "start_seconds", "end_seconds")
            columns = [group[name][:] for name in names]
            columns[1] = columns[1] == 1
            return Timeline(*columns)

    def plan(self, pack=0):
        with h5py.File(self.path) as file:
            return _plan(file[f"pack_{pack}/plan"])


def files_in(path, ending):
    """The files below the folder that have the ending, or the one file if `path` is one."""
    path = Path(path)
    paths = [path] if path.is_file() else sorted(path.rglob(f"*{ending}"))
    return [file for file in paths if file.suffix == ending]


def load_runs(*paths):
    """All results under the folders, or those of single files, sorted by file name."""
    files = [file for path in paths for file in files_in(path, ".h5")]
    if not files:
        raise NothingToDraw(f"{paths[0]}: no result file (*.h5); make some with `cpbench run`")
    return [_run(file) for file in files]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _run(path):
    try:
        with h5py.File(path) as file:
            attributes = {name: _text(value) for name, value in file.attrs.items()}
            if attributes.get("kind") != "cpbench result":
                raise ResultError(f"{path}: not a result file of cpbench")
            if int(attributes["schema_version"].split(".")[0]) != SCHEMA_MAJOR:
                raise ResultError(
                    f"{path}: schema version {attributes['schema_version']}; "
                    f"these plots read {SCHEMA_MAJOR}.x"
                )
            for name in ("tokens", "ranks", "nodes", "packs"):
                attributes[name] = int(attributes[name])
            attributes.setdefault("cached", "0")  # files of schema 1.0
            older = {"cluster": "", "network": "ports", "profile": "ideal", "model_error": ""}
            for name, value in {**older, "simulated": "no"}.items():  # files of schema 1.1
                attributes.setdefault(name, value)
            if attributes["backend"] != "simulate":  # they have no meaning in other runs
                attributes["network"] = attributes["profile"] = ""
            attributes["provenance"] = {
                name: _text(value) for name, value in file["provenance"].attrs.items()
            }
            metrics = {name: float(value[()]) for name, value in file["metrics"].items()}
            described = {n: _text(v.attrs["description"]) for n, v in file["metrics"].items()}
            run = Run(path, attributes, metrics, described)
            while (group := f"pack_{len(run.packs)}") in file:
                run.packs.append(_pack(file[group]))
            return run
    except (OSError, KeyError, ValueError) as error:
        raise ResultError(f"{path}: cannot be read: {error}") from error


def _pack(group):
    lengths, cached = group["problem/document_lengths"][:], np.zeros(0, dtype=np.int64)
    if "cached_tokens" in group["problem"]:
        cached = group["problem/cached_tokens"][:]
    parents, rules = np.zeros(0, dtype=np.int64), []
    if "parents" in group["problem"]:  # since schema 1.6.0
        parents = group["problem/parents"][:]
        masks, windows = (group[f"problem/rules/{name}"][:] for name in ("mask", "window"))
        rules = [(MASKS[m], int(w)) for m, w in zip(masks, windows, strict=True)]
    pack = Pack(
        lengths,
        cached if len(cached) else np.zeros_like(lengths),
        parents if len(parents) else np.full_like(lengths, -1),
        rules,
    )
    if "facts" in group:
        summary = group["facts"]
        pack.cells_per_rank = summary["cells_per_rank"][:]
        pack.bytes_out = summary["forward/bytes_out"][:] + summary["backward/bytes_out"][:]
    if "properties" in group:  # since schema 1.6.0
        pack.properties = {n: float(value[()]) for n, value in group["properties"].items()}
    if "samples" in group:
        pack.seconds = group["samples/seconds"][:]
        pack.attention_seconds = group["samples/attention_seconds"][:]
        pack.events = len(group["timeline/rank"])
    return pack


def _plan(group):
    sets = group["token_sets"]
    ranges = np.stack([sets["begin"][:], sets["end"][:]], axis=1)
    first = sets["first"][:]

    def ranges_of(index):
        return ranges[first[index] : first[index + 1]]

    columns = group["forward/attends"]
    names = ("rank", "q", "kv", "head_begin", "head_end")
    rows = zip(*(columns[name][:] for name in names), strict=True)
    return Plan(
        int(_text(group.attrs["tokens"])),
        [ranges_of(i) for i in group["home"][:]],
        [(r, ranges_of(q), ranges_of(kv), b, e) for r, q, kv, b, e in rows],
    )


# What two runs must have in common to be compared in one group of bars, one panel and so on.
GROUP_KEYS = (
    "workload", "tokens", "ranks", "nodes", "shape_name", "dtype", "mask", "window", "cached",
    "direction", "packing", "packs", "backend", "kernel", "cluster", "network", "profile",
    "seed",
)  # fmt: skip


def size_text(value):
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if value >= unit and value % unit == 0:
            return f"{value // unit}{name}"
    return str(value)


def _word(key, value):
    if key == "tokens":
        return f"{size_text(value)} tokens"
    if key in ("ranks", "nodes", "packs"):
        return f"{value} {key[:-1] if value == 1 else key}"
    if key in ("seed", "window", "cached", "network", "profile"):
        return f"{key} {value}"
    return str(value)


def words(run, keys):
    return tuple(_word(key, run.attributes[key]) for key in keys if run.attributes[key] != "")


def grouped(runs, apart=()):
    """Splits runs into groups that may be compared: (words that all groups share, {words that
    distinguish a group: its runs}).

    Keys in `apart` do not split groups: a group then holds runs of several workloads, for example.
    """
    keys = [key for key in GROUP_KEYS if key not in apart]
    varying = [key for key in keys if len({run.attributes[key] for run in runs}) > 1]
    common = [key for key in ("workload", "tokens", "ranks") if key in keys and key not in varying]

    def order(run):
        return [run.attributes[key] for key in (*keys, *apart)] + [run.label]

    groups = {}
    for run in sorted(runs, key=order):
        groups.setdefault(words(run, varying), []).append(run)
    return words(runs[0], common) if runs else (), groups
