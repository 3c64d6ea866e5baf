"""Lengths of the workload's documents: as they were packed and run, or as they are drawn.

Left: the share of documents up to a length. Right: the share of tokens in documents up to a
length, which is what attention pays for. One line per workload and pack size.

RUN_DIR may also hold what `cpbench workload NAME --format json` printed, or be such a file: its
line joins the edges of the powers of two in which it counts the lengths.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import style

import results

LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1)))


@dataclass
class Curve:
    lengths: list = field(default_factory=list)  # ascending
    documents: list = field(default_factory=list)  # of lengths up to this one
    tokens: list = field(default_factory=list)
    exact: bool = True  # nothing lies between two lengths


def load(folder):
    """Runs, and what `cpbench workload` printed."""
    folder = Path(folder)
    if folder.is_file():
        paths = [folder] if folder.suffix == ".json" else []
    else:
        paths = sorted(folder.rglob("*.json"))
    only_drawn = paths and (folder.is_file() or not any(folder.rglob("*.h5")))
    runs = [] if only_drawn else results.load_runs(folder)
    return runs, [drawn_lengths(path) for path in paths]


def drawn_lengths(path):
    """(label, where the line comes from, Curve)"""
    try:
        data = json.loads(path.read_text())
        bins = data["bins"]
        lengths = [data["shortest"], *(min(b["to"] - 1, data["longest"]) for b in bins)]
        curve = Curve(
            lengths,
            [0, *np.cumsum([b["documents"] for b in bins])],
            [0, *np.cumsum([b["tokens"] for b in bins])],
            exact=False,
        )
        return data["name"], f"{data['documents']} documents drawn with seed {data['seed']}", curve
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise results.ResultError(
            f"{path}: not a workload; write it by `cpbench workload NAME "
            f"--format json` ({type(error).__name__}: {error})"
        ) from error


def packed_lengths(runs):
    """(notes, {label: Curve}); runs that differ in strategy or ranks share their packs."""
    seen, lengths = set(), {}
    sizes = {run.tokens for run in runs}
    for run in runs:
        packs = [pack.document_lengths for pack in run.packs]
        key = (
            run.workload,
            run.tokens,
            run.packing,
            run.seed,
            tuple(tuple(pack) for pack in packs),
        )
        if not packs or key in seen:
            continue
        seen.add(key)
        words = [run.workload]
        words += [f"{results.size_text(run.tokens)} tokens"] if len(sizes) > 1 else []
        lengths.setdefault(", ".join(words), []).extend(packs)
    curves = {}
    for label, packs in sorted(lengths.items()):
        values = np.sort(np.concatenate(packs))
        count = f"{len(values)} document{'s' * (len(values) > 1)}"
        curves[f"{label} ({count})"] = Curve(
            [values[0], *values], range(len(values) + 1), [0, *np.cumsum(values)]
        )
    return [
        f"packs of {results.size_text(size)} tokens" for size in sizes if len(sizes) == 1
    ], curves


def draw(loaded):
    runs, drawn = loaded
    notes, curves = packed_lengths(runs)
    origins = sorted({origin for _, origin, _ in drawn})
    alike = len(origins) == 1 and not runs
    notes += origins if alike else []
    for label, origin, curve in drawn:
        curves[label if alike else f"{label} ({origin})"] = curve
    if not curves:
        raise results.NothingToDraw("no run holds document lengths")
    fig, panels = style.figure("full", 2.2, columns=2, sharex=True, sharey=True)
    handles = []
    longest = max(curve.lengths[-1] for curve in curves.values())
    for index, curve in enumerate(curves.values()):
        look = {
            "color": style.COLOURS[index % 8],
            "linestyle": LINES[index % len(LINES)],
            "linewidth": 1.2,
            "drawstyle": "steps-post" if curve.exact else "default",
        }
        for axes, counts in zip(panels, (curve.documents, curve.tokens), strict=True):
            shares = np.array([*counts, counts[-1]]) / counts[-1]
            (handle,) = axes.plot([*curve.lengths, longest], shares, **look)
        handles.append(handle)
    for axes, what in zip(panels, ("documents", "tokens"), strict=True):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(style.plt.LogLocator(base=2, numticks=9))
        axes.xaxis.set_major_formatter(lambda value, _: results.size_text(int(value)))
        axes.xaxis.set_minor_locator(style.plt.NullLocator())
        axes.set_xlabel("document length (tokens)")
        axes.set_ylabel(f"share of {what}")
        axes.set_ylim(0, 1.02)
        axes.tick_params(labelleft=True)
    if notes:
        style.footer(fig, notes)
    style.legend(fig, handles, list(curves))
    return fig, runs


if __name__ == "__main__":
    style.main(__doc__, draw, "workload_lengths", load)
