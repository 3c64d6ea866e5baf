"""Document lengths of the workloads, as they were packed or as they were drawn.

Left: the share of documents up to a length. Right: the share of tokens in documents up to a
length, which is what attention pays for. There is one line per workload and pack size.

RUN_DIR may also hold what `cpbench workload NAME --format json` printed, or be such a file: its
line joins the edges of the powers of two in which that command counts the lengths.
"""

import numpy as np

import results
import style

PLACE = 70
READS_WORKLOADS = True
LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1)))


def packed_lengths(runs):
    """{label: sorted lengths of all packs}; runs that differ in strategy or ranks share packs."""
    seen, lengths = set(), {}
    sizes = {run.tokens for run in runs}
    for run in runs:
        packs = [tuple(pack.document_lengths) for pack in run.packs]
        key = (run.workload, run.tokens, run.packing, run.seed, *packs)
        if packs and key not in seen:
            seen.add(key)
            size = f", {results.size_text(run.tokens)} tokens" if len(sizes) > 1 else ""
            lengths.setdefault(run.workload + size, []).extend(packs)
    return {label: np.sort(np.concatenate(packs)) for label, packs in sorted(lengths.items())}


def curves_of(runs, workloads):
    """({label: (lengths, documents up to each, tokens up to each, line style)}, notes)"""
    curves, sizes = {}, {run.tokens for run in runs}
    notes = [f"packs of {results.size_text(size)} tokens" for size in sizes if len(sizes) == 1]
    for label, values in packed_lengths(runs).items():
        documents = f"{len(values)} document{'s' * (len(values) > 1)}"
        counts = range(len(values) + 1), [0, *np.cumsum(values)]
        curves[f"{label} ({documents})"] = ([values[0], *values], *counts, "steps-post")
    same_origin = len({workload.origin for workload in workloads}) == 1 and not runs
    notes += [workloads[0].origin] if same_origin else []
    for drawn in workloads:
        label = drawn.name if same_origin else f"{drawn.name} ({drawn.origin})"
        curves[label] = (drawn.lengths, drawn.documents, drawn.tokens, "default")
    return curves, notes


def draw(runs, workloads=()):
    curves, notes = curves_of(runs, workloads)
    if not curves:
        raise results.NothingToDraw("no run holds document lengths")
    fig, panels = style.figure("full", 2.2, columns=2, sharex=True, sharey=True)
    handles = []
    longest = max(lengths[-1] for lengths, *_ in curves.values())
    for index, (lengths, documents, tokens, steps) in enumerate(curves.values()):
        look = {"color": style.COLOURS[index % 8], "linestyle": LINES[index % len(LINES)]}
        for axes, counts in zip(panels, (documents, tokens), strict=True):
            shares = np.array([*counts, counts[-1]]) / counts[-1]
            (handle,) = axes.plot(
                [*lengths, longest], shares, linewidth=1.2, drawstyle=steps, **look
            )
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
