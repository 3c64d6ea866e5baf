"""Bytes on the wire against imbalance of compute: what a strategy sends for an even load.

There is one panel per number of ranks and one mark per strategy: the median over workloads, with
whiskers from the least to the most and a pale point per workload. Across: the bytes that all ranks
send, padding and duplicates included, in all passes, per token of the packs. Up: the compute of the
most loaded rank over the mean. Down and left is better. Plans are enough: nothing needs to run.
"""

import numpy as np

import results
import style

PLACE = 50
MOST_PANELS = 12  # more would be longer than a page
NEAR = 4  # points; marks that are nearer cover each other
SIZE = 5.5  # points: the size of a mark that nothing covers
MOST_TOGETHER = 4  # marks in one place that differ visibly in size; more are listed by name


def point(run):
    packs = [p for p in run.packs if p.bytes_out is not None]
    if run.status != "ok" or not packs:
        return None
    tokens = sum(p.document_lengths.sum() for p in packs)
    most = sum(p.cells_per_rank.max() for p in packs)
    mean = sum(p.cells_per_rank.mean() for p in packs)
    return sum(p.bytes_out.sum() for p in packs) / tokens, most / mean


def points_by_label(runs):
    """{label: array of [workload, (bytes per token, imbalance)]} of the runs that have a plan."""
    points = {}
    for run in runs:
        if at := point(run):
            points.setdefault(run.label, []).append(at)
    return {label: np.array(points[label]) for label in sorted(points, key=style.order)}


def clusters(axes, centres):
    """Splits the marks into lists of indices of marks that cover each other."""
    points = axes.transData.transform(centres) * 72 / axes.figure.dpi
    found = []
    for index, at in enumerate(points):
        for cluster in found:
            if np.linalg.norm(points[cluster[0]] - at) < NEAR:
                cluster.append(index)
                break
        else:
            found.append([index])
    return found


def draw_marks(axes, points):
    """Draws one mark per label, within the final limits; returns lists of labels in one place."""
    labels = list(points)
    centres = [np.median(at, axis=0) for at in points.values()]
    together = clusters(axes, centres)
    sizes = [SIZE] * len(labels)
    for cluster in together:
        for place, index in enumerate(cluster):  # the first is the largest, so that all can be seen
            sizes[index] = 8.5 - 4.5 * place / (len(cluster) - 1) if len(cluster) > 1 else SIZE
    for index, (label, at) in enumerate(points.items()):
        look, (x, y) = style.line(label), centres[index]
        if len(at) > 1:
            low, high = at.min(axis=0), at.max(axis=0)
            axes.plot([low[0], high[0]], [y, y], color=look["color"], linewidth=0.7, zorder=2)
            axes.plot([x, x], [low[1], high[1]], color=look["color"], linewidth=0.7, zorder=2)
            pale = {"color": look["color"], "marker": look["marker"], "alpha": 0.5}
            pale |= {"linestyle": "none", "markersize": 3, "markeredgewidth": 0}
            axes.plot(*at.T, clip_on=False, zorder=2, **pale)
        look |= {"linestyle": "none", "markersize": sizes[index]}
        axes.plot(x, y, clip_on=False, zorder=3 + index, **look)
    return [[labels[index] for index in cluster] for cluster in together]


def draw(runs):
    common, groups = results.grouped(runs, apart=("workload", "seed"))
    panels = {words: (members, points_by_label(members)) for words, members in groups.items()}
    panels = {words: panel for words, panel in panels.items() if panel[1]}
    if not panels:
        raise results.NothingToDraw("no run has a plan")
    shown, left_out = style.first(panels, MOST_PANELS)
    fig, grid, columns = style.panels(len(shown), 3, 2.2, sharey=True)
    everything = np.concatenate([at for _, points in shown.values() for at in points.values()])
    highest = everything[:, 1].max()
    for axes, (words, (members, points)) in zip(grid, shown.items(), strict=True):
        limits(axes, np.concatenate(list(points.values()))[:, 0], highest)
        together = [c for c in draw_marks(axes, points) if len(c) > MOST_TOGETHER]
        if together and len(together[0]) == len(points):
            together = [["all"]]
        missing = sorted({f"{run.label} ({run.status})" for run in members if run.status != "ok"})
        room = style.characters(0.9 * fig.get_figwidth() / columns)
        lines = style.wrapped(words, room) if words else []
        for what, names in [("no plan", missing), *(("in one place", c) for c in together)]:
            lines += style.wrapped([f"{what}: {names[0]}", *names[1:]], room) if names else []
        axes.set_title("\n".join(lines))
        axes.set_xlabel("kB sent per token")
    for axes in grid[::columns]:
        axes.set_ylabel("compute imbalance,\nmax / mean")
    workloads = sorted({run.workload for members, _ in shown.values() for run in members})
    if len(workloads) > 1:
        mark = f"mark: median over {len(workloads)} workloads"
        workloads = [mark, "whiskers: least to most", "pale points: one workload each"]
    style.footer(fig, [*common, *workloads, *left_out])
    labels = sorted({label for _, points in shown.values() for label in points}, key=style.order)
    style.legend(fig, [style.sample_mark(label, markersize=SIZE) for label in labels], labels)
    return fig, [run for members, _ in shown.values() for run in members]


def limits(axes, bytes_per_token, highest):
    """Both axes begin at their best value; the scale of bytes is logarithmic if they need it."""
    most = bytes_per_token.max()
    least = bytes_per_token[bytes_per_token > 0].min() if most > 0 else 0
    if most > 20 * least > 0:
        # Linear up to a whole decade, so that the ticks of zero and of that decade do not touch.
        axes.set_xscale("symlog", linthresh=10 ** np.floor(np.log10(least)))
    else:
        axes.xaxis.set_major_locator(style.plt.MaxNLocator(5))
    axes.set_xlim(0, 1.05 * most or 1000)
    room = highest - 1 + 0.1
    axes.set_ylim(1 - 0.05 * room, 1 + 1.05 * room)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")
    axes.grid(axis="x", which="major")
