"""Load per rank: who computes how much, in the first pack.

One panel per workload, size and number of ranks, one row of bars per strategy: attention cells
(query, key, head) of each rank over the mean, whose own value stands in the title. The dotted line
is 1, where all bars of an even load end; the number at the right is the most loaded rank's.
"""

import numpy as np
import style

import results

MOST_PANELS = 12  # beyond, the panels are too small to read
ROW = 0.19  # inches per strategy: a line of text and a little air


def cells_text(cells):
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cells >= unit:
            return f"{cells / unit:.3g}{name} cells"
    return f"{cells:.3g} cells"


def load(run):
    """Cells of each rank over the mean, or None without a plan."""
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
        # The y axis points down: a bar stands on the lower edge of its row.
        edges, foot = np.arange(ranks + 1) - 0.5, row + 0.45
        axes.stairs(
            foot - 0.9 * values / highest,
            edges,
            baseline=foot,
            fill=True,
            facecolor=style.colour(run.label),
            edgecolor="black",
            linewidth=0.4,
        )
        axes.plot(
            [-0.5, ranks - 0.5],
            [foot - 0.9 / highest] * 2,
            color="black",
            linewidth=0.5,
            linestyle=":",
        )
        axes.text(
            1.02, row, f"{values.max():.2f}", va="center", transform=axes.get_yaxis_transform()
        )
    axes.set_xticks(style.rank_ticks(ranks))
    axes.set_xlim(-0.5, ranks - 0.5)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), ["\n".join(style.broken(label, 22)) for label in labels])
    axes.tick_params(axis="y", length=0)
    axes.grid(False)
    axes.spines["left"].set_visible(False)


def draw(runs):
    common, groups = results.grouped(runs)
    groups = {
        words: members
        for words, members in groups.items()
        if any(load(run) is not None for run in members)
    }
    if not groups:
        raise results.NothingToDraw("no run has a plan to take the load from")
    shown = dict(list(groups.items())[:MOST_PANELS])
    everyone = [run for members in shown.values() for run in members]
    loads = [(run, load(run)) for run in everyone]
    highest = max(values.max() for _, values in loads if values is not None)
    labels = sorted({run.label for run in everyone}, key=style.order)
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    width = "full" if columns > 1 else "column"
    fig, panels = style.figure(
        width,
        0.3 + (0.9 + ROW * len(labels)) * rows,
        rows=rows,
        columns=columns,
        squeeze=False,
        sharey=True,
    )
    room = style.characters(0.75 * style.WIDTHS[width] / columns)
    for axes, (words, members) in zip(panels.flat, shown.items(), strict=False):
        draw_panel(axes, members, labels, highest)
        cells = next(run.packs[0].cells_per_rank for run in members if load(run) is not None)
        axes.set_title("\n".join(style.wrapped([*words, f"1 = {cells_text(cells.mean())}"], room)))
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    for axes in panels.flat[max(0, len(shown) - columns) : len(shown)]:
        axes.set_xlabel("rank")
    note = [*common, "bars: load / mean of each rank", "number: the most loaded rank's"]
    note += [f"the first {len(shown)} of {len(groups)} groups"] if len(shown) < len(groups) else []
    style.footer(fig, note)
    return fig, everyone


if __name__ == "__main__":
    style.main(__doc__, draw, "load_per_rank")
