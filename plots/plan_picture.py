"""A picture of plans: which rank owns which tokens, and which rank attends what.

One panel per strategy, all of one pack: queries downwards, keys to the right, each cell of the
mask in the colour of the rank that attends it (for query head 0, where heads are split). The strip
at the left is who owns the tokens at home; thin lines are document boundaries. Give one result
file, or a folder: of the groups of runs with the most strategies, it shows a measured length set
rather than a distribution, and the one whose first pack has the most documents that can still be
told apart.
"""

import numpy as np
import style
from matplotlib.colors import ListedColormap

import results

PIXELS = 384  # per side; a pixel shows the token at its middle
MOST_PANELS = 20
MOST_DOCUMENTS = 40  # whose boundaries can be told apart
STRIP = 0.06  # width of the ownership strip, of the panel


def holds(ranges, tokens):
    """Which of `tokens` lie in the sorted disjoint ranges."""
    if len(ranges) == 0:
        return np.zeros(len(tokens), dtype=bool)
    at = np.searchsorted(ranges[:, 0], tokens, side="right") - 1
    return (at >= 0) & (tokens < ranges[np.maximum(at, 0), 1])


def visible(run, tokens, starts):
    """The mask on the pixels: [query, key]."""
    query, key = tokens[:, None], tokens[None, :]
    document = np.searchsorted(starts, tokens, side="right")
    new = tokens >= np.concatenate([[0], starts])[document] + run.packs[0].cached_tokens[document]
    return new[:, None] & masked(run, query, key, document)


def masked(run, query, key, document):
    same = document[:, None] == document[None, :]
    if run.mask == "causal":
        return key <= query
    if run.mask == "document_full":
        return same
    if run.mask == "sliding_window":
        return same & (key <= query) & (key > query - int(run.window))
    return same & (key <= query)


def raster(run, plan, starts):
    size = min(PIXELS, plan.tokens)
    tokens = ((np.arange(size) + 0.5) * plan.tokens / size).astype(np.int64)
    who = np.full((size, size), np.nan)
    for rank, queries, keys, begin, end in plan.attends:
        if begin <= 0 < end:
            who[np.ix_(holds(queries, tokens), holds(keys, tokens))] = rank
    who[~visible(run, tokens, starts)] = np.nan
    owner = np.full(size, np.nan)
    for rank, ranges in enumerate(plan.home):
        owner[holds(ranges, tokens)] = rank
    return who, owner


def draw_panel(axes, run, colours, room):
    plan = run.plan()
    ends = np.cumsum(run.packs[0].document_lengths)
    who, owner = raster(run, plan, ends[:-1])
    look = {
        "cmap": colours,
        "vmin": -0.5,
        "vmax": run.ranks - 0.5,
        "interpolation": "nearest",
        "aspect": "auto",
    }
    image = axes.imshow(who, extent=(0, plan.tokens, plan.tokens, 0), **look)
    strip = plan.tokens * STRIP
    axes.imshow(owner[:, None], extent=(-1.5 * strip, -0.5 * strip, plan.tokens, 0), **look)
    axes.set_xlim(-1.5 * strip, plan.tokens)
    axes.set_ylim(plan.tokens, 0)
    for end in ends[:-1] if len(ends) <= MOST_DOCUMENTS else []:
        axes.axhline(end, color="black", linewidth=0.25, alpha=0.5)
        axes.axvline(end, color="black", linewidth=0.25, alpha=0.5)
    axes.set_box_aspect(1)
    axes.grid(False)
    all_heads = all(
        begin == 0 and end == int(run.query_heads) for _, _, _, begin, end in plan.attends
    )
    words = [run.label] if all_heads else [run.label, "head 0"]
    axes.set_title("\n".join(style.wrapped(words, room)))
    axes.set_xticks([0, plan.tokens], ["0", results.size_text(plan.tokens)])
    axes.set_yticks([0, plan.tokens], ["0", results.size_text(plan.tokens)])
    axes.tick_params(labelleft=axes.get_subplotspec().is_first_col())
    return image


def with_plan(runs):
    return [run for run in runs if run.packs and run.packs[0].cells_per_rank is not None]


def worth(members):
    """How much the picture of a group tells, for sorting."""
    planned = with_plan(members)
    if not planned:
        return (0, False, 0)
    documents = len(planned[0].packs[0].document_lengths)
    measured = ":" not in planned[0].workload  # a distribution has parameters
    return (len(planned), measured, documents if documents <= MOST_DOCUMENTS else 0)


def draw(runs):
    common, groups = results.grouped(runs)
    words, members = max(groups.items(), key=lambda group: worth(group[1]))
    planned = sorted(with_plan(members), key=lambda run: style.order(run.label))
    if not planned:
        raise results.NothingToDraw("no run has a plan to draw")
    title = [*words, *common]
    if len(planned) > MOST_PANELS:
        title.append(f"the first {MOST_PANELS} of {len(planned)} strategies")
    planned = planned[:MOST_PANELS]
    rows = -(-len(planned) // (4 if len(planned) <= 8 else 5))
    columns = -(-len(planned) // rows)
    width = "full" if columns > 1 else "column"
    side = (style.WIDTHS[width] - 1.2) / columns - 0.15  # of a panel, without labels and bar
    fig, panels = style.figure(
        width, 0.3 + (side + 0.5) * rows, rows=rows, columns=columns, squeeze=False
    )
    ranks = planned[0].ranks
    # Lightness rises with the rank, so that neighbours differ in grey as well.
    colours = ListedColormap(style.plt.get_cmap("viridis")(np.linspace(0, 1, ranks)))
    for axes, run in zip(panels.flat, planned, strict=False):
        image = draw_panel(axes, run, colours, style.characters(side))
    for axes in panels.flat[len(planned) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("query (strip: owner)")
    for axes in panels.flat[max(0, len(planned) - columns) : len(planned)]:
        axes.set_xlabel("key")
    bar = fig.colorbar(image, ax=panels.ravel().tolist(), label="rank", fraction=0.03, pad=0.02)
    bar.set_ticks(style.rank_ticks(ranks))
    bar.outline.set_linewidth(0.4)
    room = style.characters(style.WIDTHS[width])
    fig.suptitle("\n".join(style.wrapped(title, room)), fontsize=style.SMALLEST)
    return fig, planned


if __name__ == "__main__":
    style.main(__doc__, draw, "plan_picture")
