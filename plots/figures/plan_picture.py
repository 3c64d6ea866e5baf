"""Pictures of plans: which rank owns which tokens, and which rank attends what.

There is one panel per strategy, all of one pack: queries downwards, keys to the right, each (query,
key) pair of the mask in the colour of the rank that attends it (for query head 0, where ranks split
the heads). The strip at the left shows who owns the tokens; thin lines are document boundaries.

Of a folder, it shows a group of comparable runs: one with the most strategies, among these one with
a measured length set rather than a distribution, and among these the one whose first pack has the
most documents that can still be distinguished.
"""

import numpy as np
from matplotlib.colors import ListedColormap

import results
import style

PLACE = 80
PIXELS = 384  # per side; a pixel shows the token at its centre
MOST_PANELS = 20
MOST_DOCUMENTS = 40  # with more, boundaries are too close to draw
STRIP = 0.06  # width of the ownership strip, as a share of the panel


def holds(ranges, tokens):
    """For each of `tokens`, whether it lies in the sorted disjoint ranges."""
    if len(ranges) == 0:
        return np.zeros(len(tokens), dtype=bool)
    at = np.searchsorted(ranges[:, 0], tokens, side="right") - 1
    return (at >= 0) & (tokens < ranges[np.maximum(at, 0), 1])


def visible(run, tokens, starts):
    """The mask at the pixels as bool[query, key]; cached tokens have no query."""
    document = np.searchsorted(starts, tokens, side="right")
    position = tokens - np.concatenate([[0], starts])[document]
    new = position >= run.packs[0].cached_tokens[document]
    if run.mask == "causal":
        return new[:, None] & (tokens[None, :] <= tokens[:, None])
    own = document[:, None] == document[None, :]
    seen = own & follows_rule(run, document, position)
    above = run.packs[0].parents[document]  # of each query: its document's ancestors, one by one
    while (above >= 0).any():
        seen |= above[:, None] == document[None, :]
        above = np.where(above >= 0, run.packs[0].parents[above], -1)
    return new[:, None] & seen


def follows_rule(run, document, position):
    """bool[query, key] for queries and keys of one document."""
    rules = run.packs[0].rules or [(run.mask, int(run.window or 0))] * (document.max() + 1)
    mask = np.array([rules[d][0] for d in document])[:, None]
    window = np.array([max(1, rules[d][1]) for d in document])[:, None]
    query, key = position[:, None], position[None, :]
    earlier = key <= query
    sees = {
        "document_full": np.ones_like(earlier),
        "sliding_window": earlier & (key > query - window),
        "block_causal": key // window <= query // window,
        "chunked": earlier & (key // window == query // window),
        "prefix": earlier | ((key < window) & (query < window)),
    }
    return np.select([mask == name for name in sees], list(sees.values()), earlier)


def raster(run, plan, starts):
    """(rank that attends each pixel [query, key], rank that owns each pixel's token); NaN: none."""
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


def draw_panel(axes, run, colours, inches):
    plan = run.plan()
    ends = np.cumsum(run.packs[0].document_lengths)
    who, owner = raster(run, plan, ends[:-1])
    look = {"cmap": colours, "vmin": -0.5, "vmax": run.ranks - 0.5}
    look |= {"interpolation": "nearest", "aspect": "auto"}
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
    all_heads = all((begin, end) == (0, int(run.query_heads)) for *_, begin, end in plan.attends)
    style.title(axes, [run.label] if all_heads else [run.label, "head 0"], inches)
    axes.set_xticks([0, plan.tokens], ["0", results.size_text(plan.tokens)])
    axes.set_yticks([0, plan.tokens], ["0", results.size_text(plan.tokens)])
    axes.tick_params(labelleft=axes.get_subplotspec().is_first_col())
    return image


def with_plan(runs):
    return [run for run in runs if run.packs and run.packs[0].cells_per_rank is not None]


def worth(members):
    """The sort key of groups; the docstring above says what it prefers."""
    planned = with_plan(members)
    if not planned:
        return (0, False, 0)
    documents = len(planned[0].packs[0].document_lengths)
    measured = ":" not in planned[0].workload  # the name of a distribution has parameters
    return (len(planned), measured, documents if documents <= MOST_DOCUMENTS else 0)


def draw(runs):
    if not with_plan(runs):
        raise results.NothingToDraw("no run has a plan")
    common, groups = results.grouped(runs)
    words, members = max(groups.items(), key=lambda group: worth(group[1]))
    planned = sorted(with_plan(members), key=lambda run: style.order(run.label))
    title = [*words, *common]
    if len(planned) > MOST_PANELS:
        title.append(f"the first {MOST_PANELS} of {len(planned)} strategies")
    planned = planned[:MOST_PANELS]
    rows = -(-len(planned) // (4 if len(planned) <= 8 else 5))
    columns = -(-len(planned) // rows)
    width = "full" if columns > 1 else "column"
    side = (style.WIDTHS[width] - 1.2) / columns - 0.15  # of a panel, without labels and colour bar
    fig, panels, _ = style.panels(len(planned), columns, side + 0.5)
    ranks = planned[0].ranks
    # Lightness rises with the rank, so that neighbours also differ in grey.
    colours = ListedColormap(style.plt.get_cmap("viridis")(np.linspace(0, 1, ranks)))
    for axes, run in zip(panels, planned, strict=True):
        image = draw_panel(axes, run, colours, side)
    for axes in panels[::columns]:
        axes.set_ylabel("query (strip: owner)")
    for axes in panels[-columns:]:
        axes.set_xlabel("key")
    bar = fig.colorbar(image, ax=panels, label="rank", fraction=0.03, pad=0.02)
    bar.set_ticks(style.rank_ticks(ranks))
    bar.outline.set_linewidth(0.4)
    room = style.characters(style.WIDTHS[width])
    fig.suptitle("\n".join(style.wrapped(title, room)), fontsize=style.SMALLEST)
    return fig, planned
