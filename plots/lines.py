"""Panels of lines: a value of runs as one property of their problem varies, a line per strategy.

fig, runs = lines.draw(groups, ranks, mfu, finish)   # finish(axes) sets scales and names of axes
"""

import results
import style


def points_of(runs, across, value):
    """{label: [(property, value)]} of the runs that ended well, both sorted."""
    found = {}
    for run in runs:
        if run.status == "ok":
            found.setdefault(run.label, []).append((across(run), value(run)))
    return {label: sorted(found[label]) for label in sorted(found, key=style.order)}


def draw(groups, across, value, finish):
    """The figure, and the runs that are in it; `across` and `value` are functions of a run."""
    fig, grid, columns = style.panels(len(groups), 2, 2.8, width="full", sharey=True)
    labels = set()
    for axes, (words, members) in zip(grid, groups.items(), strict=True):
        for label, points in points_of(members, across, value).items():
            axes.plot(*zip(*points, strict=True), clip_on=False, **style.line(label))
            labels.add(label)
        values = sorted({across(run) for run in members})
        axes.set_xscale("log", base=2)
        axes.set_xticks(values, [results.size_text(int(value)) for value in values])
        axes.minorticks_off()
        style.title(axes, words, 0.9 * fig.get_figwidth() / columns)
    for axes in grid:
        finish(axes)  # when all lines are there: panels share the scale
    labels = sorted(labels, key=style.order)
    style.legend(fig, [style.plt.Line2D([], [], **style.line(label)) for label in labels], labels)
    return fig, [run for members in groups.values() for run in members if run.status == "ok"]
