"""Load per rank: who computes how much, in the first pack.

One panel per workload, size and number of ranks; attention cells (query, key, head) of each rank
over the mean, whose own value stands in the panel. Flat at 1 is perfect.
"""

import results
import style

MOST_PANELS = 12  # beyond, the panels are too small to read


def cells_text(cells):
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cells >= unit:
            return f"{cells / unit:.3g}{name} cells"
    return f"{cells:.3g} cells"


def draw_panel(axes, words, members):
    handles = {}
    for index, run in enumerate(members):
        if run.status != "ok" or not run.packs or run.packs[0].cells_per_rank is None:
            axes.text(0.02, 0.02 + 0.09 * index, f"{run.label}: {run.status}", color="#444444",
                      transform=axes.transAxes)
            continue
        cells = run.packs[0].cells_per_rank
        handles[run.label], = axes.plot(range(len(cells)), cells / cells.mean(), zorder=3,
                                        clip_on=False, **style.line(run.strategy))
        axes.set_title("\n".join([*style.wrapped(words, 34), f"1 = {cells_text(cells.mean())}"]))
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    axes.xaxis.set_major_locator(style.plt.MaxNLocator(integer=True, nbins=8))
    axes.margins(x=0.05)
    return handles


def draw(runs):
    groups = list(results.grouped(runs).items())
    groups = [(words, members) for words, members in groups
              if any(r.status == "ok" and r.packs for r in members)]
    if not groups:
        raise results.ResultError("no run has a plan to take the load from")
    shown = groups[:MOST_PANELS]
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    fig, panels = style.figure("full" if columns > 1 else "column", 0.5 + 1.75 * rows, rows=rows,
                               columns=columns, squeeze=False, sharey=True)
    handles = {}
    for axes, (words, members) in zip(panels.flat, shown):
        handles |= draw_panel(axes, words, members)
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
    labels = sorted(handles, key=style.order)
    style.legend(fig, [handles[label] for label in labels], labels)
    return fig, [run for _, members in shown for run in members]


if __name__ == "__main__":
    style.main(__doc__, draw, "load_per_rank")
