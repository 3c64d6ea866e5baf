"""Error of each strategy against ranks, relative to a plain run on a single device.

There is one panel per dtype, and in it the largest error of the output (left) and of the gradients
(right), divided by that of a single device in the same dtype: 1 is no worse. One line per strategy:
the median over workloads. Runs in float64 have no such error, because they are the reference.
"""

import numpy as np

import results
import style

PLACE = None  # it tells most where one sweep has several numbers of ranks
METRICS = {"output_error_ratio": "output", "gradient_error_ratio": "gradients"}
MOST_ROWS = 3


def points_of(runs, metric):
    """{label: (ranks, medians over the runs with so many ranks)}"""
    values = {}
    for run in runs:
        if run.status == "ok" and metric in run.metrics:
            by_ranks = values.setdefault(run.label, {})
            by_ranks.setdefault(run.ranks, []).append(run.metrics[metric])
    return {
        label: (sorted(by_ranks), [np.median(by_ranks[ranks]) for ranks in sorted(by_ranks)])
        for label, by_ranks in values.items()
    }


def draw_panel(axes, points):
    for label in sorted(points, key=style.order):
        axes.plot(*points[label], **style.line(label), linewidth=0.8)
    ranks = sorted({r for own, _ in points.values() for r in own})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ranks, [str(r) for r in ranks])
    axes.minorticks_off()
    axes.set_xlim(min(ranks) / 1.3, max(ranks) * 1.3)
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")


def draw(runs):
    runs = [run for run in runs if any(metric in run.metrics for metric in METRICS)]
    if not runs:
        raise results.NothingToDraw("no run was verified in float32 or bfloat16")
    common, groups = results.grouped(runs, apart=("workload", "seed", "ranks", "nodes", "tokens"))
    groups, left_out = style.first(groups, MOST_ROWS)
    fig, all_axes = style.figure(
        "full", 0.3 + 1.8 * len(groups), len(groups), 2, squeeze=False, sharey=True
    )
    largest = 1
    for row, (words, members) in zip(all_axes, groups.items(), strict=True):
        for axes, (metric, what) in zip(row, METRICS.items(), strict=True):
            points = points_of(members, metric)
            if not points:
                axes.set_visible(False)
                continue
            draw_panel(axes, points)
            largest = max(largest, *(max(ratios) for _, ratios in points.values()))
            style.title(axes, [what, *words], 3)
            axes.set_xlabel("ranks")
        row[0].set_ylabel("error / single device")
    all_axes[0][0].set_ylim(0, 1.1 * largest)  # of all panels; room for the marks at the top
    shown = [run for members in groups.values() for run in members]
    same = [key for key in ("workload", "tokens") if len({r.attributes[key] for r in runs}) == 1]
    several = [] if "workload" in same else ["medians over workloads"]
    notes = ["1: as a single device", *several, *common, *left_out]
    style.footer(fig, [*results.words(runs[0], same), *notes])
    labels = style.labels_of(shown)
    style.legend(fig, [style.sample_mark(label) for label in labels], labels)
    return fig, shown
