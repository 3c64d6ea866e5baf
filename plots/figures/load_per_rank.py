"""Load per rank: how much attention each rank computes in the first pack.

There is one panel per workload, size and number of ranks, and one row of bars per strategy: each
rank's (query, key) pairs, counted per head, over the mean of all ranks, which the title states. The
dotted line is 1, where all bars of an even load end; the number at the right is the most loaded
rank's.
"""

import numpy as np

import results
import style

PLACE = 60
MOST_PANELS = 12  # more would be too small to read


def load(run):
    """Pairs of each rank over the mean, or None if the run has no plan."""
    if run.status != "ok" or not run.packs or run.packs[0].cells_per_rank is None:
        return None
    return run.packs[0].cells_per_rank / run.packs[0].cells_per_rank.mean()


def draw_panel(axes, members, labels, highest):
    ranks = members[0].ranks
    for run in members:
        row, values = labels.index(run.label), load(run)
        if values is None:
            axes.text(-0.4, row, run.status, va="center", color="#444444")
            continue
        # The y axis points down, so a bar begins at the lower edge of its row.
        edges, foot = np.arange(ranks + 1) - 0.5, row + 0.45
        look = {"facecolor": style.colour(run.label), "edgecolor": "black", "linewidth": 0.4}
        axes.stairs(foot - 0.9 * values / highest, edges, baseline=foot, fill=True, **look)
        even = [foot - 0.9 / highest] * 2
        axes.plot([-0.5, ranks - 0.5], even, color="black", linewidth=0.5, linestyle=":")
        right = axes.get_yaxis_transform()
        axes.text(1.02, row, f"{values.max():.2f}", va="center", transform=right)
    axes.set_xticks(style.rank_ticks(ranks))
    axes.set_xlim(-0.5, ranks - 0.5)
    style.strategy_rows(axes, labels)
    axes.grid(False)
    axes.spines["left"].set_visible(False)


def draw(runs):
    common, groups = results.grouped(runs)
    groups = {w: rows for w, rows in groups.items() if any(load(run) is not None for run in rows)}
    if not groups:
        raise results.NothingToDraw("no run has a plan")
    shown, left_out = style.first(groups, MOST_PANELS)
    everyone = [run for members in shown.values() for run in members]
    highest = max(values.max() for run in everyone if (values := load(run)) is not None)
    labels = style.labels_of(everyone)
    fig, panels, columns = style.panels(len(shown), 4, 0.9 + style.rows_height(labels), sharey=True)
    room = 0.75 * fig.get_figwidth() / columns
    for axes, (words, members) in zip(panels, shown.items(), strict=True):
        draw_panel(axes, members, labels, highest)
        pairs = next(run.packs[0].cells_per_rank for run in members if load(run) is not None)
        style.title(axes, [*words, f"1 = {style.count_text(pairs.mean())} pairs"], room)
    for axes in panels[-columns:]:
        axes.set_xlabel("rank")
    note = [*common, "bars: load of each rank / mean", "number: the most loaded rank"]
    style.footer(fig, [*note, *left_out])
    return fig, everyone
