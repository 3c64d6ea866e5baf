"""Lengths of the workload's documents, as they were packed and run.

Left: the share of documents up to a length. Right: the share of tokens in documents up to a
length, which is what attention pays for. One line per workload and pack size.
"""

import numpy as np
import style

import results

LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1)))


def lengths_by_workload(runs):
    """{label: sorted lengths}; runs that differ in strategy or ranks alone share their packs."""
    seen, lengths = set(), {}
    for run in runs:
        packs = [pack.document_lengths for pack in run.packs]
        key = (run.workload, run.tokens, run.packing, run.seed,
               tuple(tuple(pack) for pack in packs))
        if not packs or key in seen:
            continue
        seen.add(key)
        label = f"{run.workload}, {results.size_text(run.tokens)} tokens"
        lengths.setdefault(label, []).extend(packs)
    return {label: np.sort(np.concatenate(packs)) for label, packs in sorted(lengths.items())}


def draw(runs):
    lengths = lengths_by_workload(runs)
    if not lengths:
        raise results.ResultError("no run holds document lengths")
    fig, panels = style.figure("full", 2.4, columns=2, sharex=True, sharey=True)
    handles = []
    longest = max(values[-1] for values in lengths.values())
    for index, values in enumerate(lengths.values()):
        look = {"color": style.COLOURS[index % 8], "linestyle": LINES[index % len(LINES)],
                "linewidth": 1.2}
        x = np.concatenate([[values[0]], values, [longest]])
        for axes, weights in zip(panels, (np.ones(len(values)), values), strict=True):
            share = np.cumsum(weights) / weights.sum()
            handle, = axes.step(x, np.concatenate([[0], share, [1]]), where="post", **look)
        handles.append(handle)
    for axes, what in zip(panels, ("documents", "tokens"), strict=True):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: results.size_text(int(value)))
        axes.xaxis.set_minor_locator(style.plt.NullLocator())
        axes.set_xlabel("document length (tokens)")
        axes.set_ylabel(f"share of {what}")
        axes.set_ylim(0, 1.02)
        axes.tick_params(labelleft=True)
    labels = [f"{label} ({len(values)} documents)" for label, values in lengths.items()]
    style.legend(fig, handles, labels, columns=3)
    return fig, runs


if __name__ == "__main__":
    style.main(__doc__, draw, "workload_lengths")
