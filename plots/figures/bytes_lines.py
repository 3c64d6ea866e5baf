"""Bytes on the wire as one property of the problem varies: the window, or the heads per KV head.

There is one panel per problem and one line per strategy. Up: the bytes that all ranks send, padding
and duplicates included, in all passes, per token. Across: the window in tokens if the runs have
several, otherwise the query heads that share a KV head. Where a strategy does not support a problem
it has no mark. The figure is drawn only when it is named.
"""

import numpy as np

import results
import style

PLACE = None


def window(run):
    return int(run.window) if run.mask == "sliding_window" else None


def heads_per_kv_head(run):
    return int(run.query_heads) / int(run.kv_heads)


# The property, its axis, and the keys that differ where it does.
PROPERTIES = (
    (window, "window, tokens", ("window",)),
    (heads_per_kv_head, "query heads per KV head", ("shape_name",)),
)


def varying(runs):
    for of, words, keys in PROPERTIES:
        if len({of(run) for run in runs} - {None}) > 1:
            return of, words, keys
    raise results.NothingToDraw("no runs differ in their window or in their heads per KV head")


def bytes_per_token(run):
    return run.metrics["wire_bytes"] / sum(pack.document_lengths.sum() for pack in run.packs)


def lines(runs, of):
    """{label: [(property, bytes per token)]} of the runs that have a plan, both sorted."""
    found = {}
    for run in runs:
        if run.status == "ok":
            found.setdefault(run.label, []).append((of(run), bytes_per_token(run)))
    return {label: sorted(found[label]) for label in sorted(found, key=style.order)}


def draw(runs):
    of, across, apart = varying(runs)
    common, groups = results.grouped([run for run in runs if of(run) is not None], apart)
    fig, grid, columns = style.panels(len(groups), 2, 2.8, width="full", sharey=True)
    sent = [bytes_per_token(run) for m in groups.values() for run in m if run.status == "ok"]
    least = min((value for value in sent if value > 0), default=1)
    labels = set()
    for axes, (words, members) in zip(grid, groups.items(), strict=True):
        for label, points in lines(members, of).items():
            axes.plot(*zip(*points, strict=True), clip_on=False, **style.line(label))
            labels.add(label)
        values = sorted({of(run) for run in members})
        axes.set_xscale("log", base=2)
        axes.set_xticks(values, [results.size_text(int(value)) for value in values])
        axes.minorticks_off()
        if 0 in sent:  # linear up to a whole decade below all others
            axes.set_yscale("symlog", linthresh=10 ** np.floor(np.log10(least)))
            axes.set_ylim(bottom=0)
        else:
            axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")
        axes.set_xlabel(across)
        style.title(axes, words, 0.9 * fig.get_figwidth() / columns)
    for axes in grid[::columns]:
        axes.set_ylabel("kB sent per token")
    style.footer(fig, common)
    labels = sorted(labels, key=style.order)
    style.legend(fig, [style.plt.Line2D([], [], **style.line(label)) for label in labels], labels)
    return fig, [run for members in groups.values() for run in members if run.status == "ok"]
