"""Bytes on the wire as one property of the problem varies: the window, or the heads per KV head.

There is one panel per problem and one line per strategy. Up: the bytes that all ranks send, padding
and duplicates included, in all passes, per token. Across: the window in tokens if the runs have
several, otherwise the query heads that share a KV head. Where a strategy does not support a problem
it has no mark. The figure is drawn only when it is named.
"""

import numpy as np

import lines
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


def draw(runs):
    of, across, apart = varying(runs)
    common, groups = results.grouped([run for run in runs if of(run) is not None], apart)
    sent = [bytes_per_token(run) for m in groups.values() for run in m if run.status == "ok"]
    least = min((value for value in sent if value > 0), default=1)

    def finish(axes):
        if 0 in sent:  # linear up to a whole decade below all others
            axes.set_yscale("symlog", linthresh=10 ** np.floor(np.log10(least)))
            axes.set_ylim(bottom=0)
        else:
            axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")
        axes.set_xlabel(across)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("kB sent per token")

    fig, drawn = lines.draw(groups, of, bytes_per_token, finish)
    style.footer(fig, common)
    return fig, drawn
