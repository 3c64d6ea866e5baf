"""Load per rank: who computes how much, in the first pack.

One panel per workload, size and number of ranks; attention cells (query, key, head) of each rank
over the mean, whose own value stands in the panel. Flat at 1 is perfect.
"""

import style

import results

MOST_PANELS = 12  # beyond, the panels are too small to read


def cells_text(cells):
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cells >= unit:
            return f"{cells / unit:.3g}{name} cells"
    return f"{cells:.3g} cells"


def has_load(run):
    return run.status == "ok" and run.packs and run.packs[0].cells_per_rank is not None


def draw_panel(axes, words, members, labels):
    handles, missing = {}, []
    for run in members:
        if not has_load(run):
            missing.append(f"{run.label}: {run.status}")
            continue
        cells, index = run.packs[0].cells_per_rank, labels.index(run.label)
        look = style.line(run.strategy) | style.nested(index, len(labels))
        handles[run.label], = axes.plot(range(len(cells)), cells / cells.mean(), clip_on=False,
                                        zorder=3 + index, **look)
        mean = f"1 = {cells_text(cells.mean())}"
    axes.set_title("\n".join([*style.wrapped(words, 26), mean, *missing]))
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    axes.set_xticks(style.rank_ticks(members[0].ranks))
    axes.set_xlim(-0.5, members[0].ranks - 0.5)
    return handles


def draw(runs):
    groups = list(results.grouped(runs).items())
    groups = [(words, members) for words, members in groups if any(has_load(r) for r in members)]
    if not groups:
        raise results.ResultError("no run has a plan to take the load from")
    shown = groups[:MOST_PANELS]
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    fig, panels = style.figure("full" if columns > 1 else "column", 0.5 + 1.75 * rows, rows=rows,
                               columns=columns, squeeze=False, sharey=True)
    everyone = [run for _, members in shown for run in members]
    labels = sorted({run.label for run in everyone}, key=style.order)
    handles = {}
    for axes, (words, members) in zip(panels.flat, shown, strict=False):
        handles |= draw_panel(axes, words, members, labels)
    for axes in panels.flat[len(shown):]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylim(bottom=0)
        axes.set_ylabel("load / mean")
    for column in range(columns):
        used = [panels[row, column] for row in range(rows) if panels[row, column].get_visible()]
        used[-1].set_xlabel("rank")
    if len(groups) > len(shown):
        fig.supxlabel(f"the first {len(shown)} of {len(groups)} groups", fontsize=style.SMALLEST)
    labels = [label for label in labels if label in handles]
    style.legend(fig, [handles[label] for label in labels], labels)
    return fig, everyone


if __name__ == "__main__":
    style.main(__doc__, draw, "load_per_rank")
