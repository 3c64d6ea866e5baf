"""Simulated against measured: what the model says of an iteration, and what a clock said of it.

One mark per cell that was both simulated and run: the same strategy on the same problem. On the
line the two agree; the grey band is a tenth around it. The figures are the mean of
|simulated / measured - 1|, over all cells and by strategy, and the worst cell's. Give one folder
that holds both kinds, or several.
"""

import numpy as np
import style

import results

BAND = 0.1
# How a cell was run; what it is are the other keys.
HOW = ("backend", "kernel", "cluster", "network", "profile")


def what(run):
    keys = [key for key in results.GROUP_KEYS if key not in HOW]
    return (run.label, *(run.attributes[key] for key in keys))


def pairs(runs):
    """[(simulated run, measured run)]; several simulations of one cell each have a pair."""
    measured = {}
    for run in runs:
        if run.seconds and not run.simulated:
            measured.setdefault(what(run), []).append(run)
    return [
        (run, other)
        for run in runs
        if run.seconds and run.simulated
        for other in measured.get(what(run), [])
    ]


def errors(found):
    """{label: simulated / measured - 1 of its cells}, in the order of the strategies."""
    by_label = {}
    for simulated, measured in found:
        by_label.setdefault(simulated.label, []).append(simulated.seconds / measured.seconds - 1)
    return {label: np.array(by_label[label]) for label in sorted(by_label, key=style.order)}


def summary(found):
    """'mean error 8%, worst +21% (zigzag) over 12 cells'."""
    by_label = errors(found)
    everything = np.concatenate(list(by_label.values()))
    label = max(by_label, key=lambda name: np.abs(by_label[name]).max())
    worst = by_label[label][np.abs(by_label[label]).argmax()]
    cells = f"{len(everything)} cell" + ("s" if len(everything) > 1 else "")
    return f"mean error {np.abs(everything).mean():.0%}, worst {worst:+.0%} ({label}), {cells}"


def draw(runs):
    found = pairs(runs)
    if not found:
        raise results.NothingToDraw("no cell was both simulated and run")
    by_label = errors(found)
    seconds = np.array([[m.seconds, s.seconds] for s, m in found])
    unit, unit_name = style.time_unit(np.median(seconds))
    low, high = seconds.min() / unit / 1.3, seconds.max() / unit * 1.3
    fig, axes = style.figure("column", 3.0)
    ends = np.array([low, high])
    axes.fill_between(ends, ends * (1 - BAND), ends * (1 + BAND), color="#e4e4e4", linewidth=0)
    axes.plot(ends, ends, color="black", linewidth=0.6)
    for label in by_label:
        at = seconds[[s.label == label for s, _ in found]] / unit
        axes.plot(*at.T, linestyle="none", alpha=0.9, markersize=5, **style.line(label))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(style.plt.LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_locator(style.plt.NullLocator())
    axes.set_box_aspect(1)
    axes.grid(True, axis="both")
    axes.set_xlabel(f"measured, {unit_name} of an iteration")
    axes.set_ylabel(f"simulated, {unit_name} of an iteration")
    room = style.characters(style.WIDTHS["column"])
    axes.set_title("\n".join(style.wrapped(summary(found).split(", "), room)))
    measured = [run for _, run in found]
    common, _ = results.grouped(measured)
    everyone = [run for pair in found for run in pair]
    notes = [*common, style.note_runs(everyone), f"band: {BAND:.0%}", "legend: mean error"]
    style.footer(fig, [note for note in notes if note])
    handles = [
        style.plt.Line2D([], [], linestyle="none", markersize=5, **style.line(label))
        for label in by_label
    ]
    labels = [f"{label} {np.abs(error).mean():.0%}" for label, error in by_label.items()]
    style.legend(fig, handles, labels)
    return fig, everyone


if __name__ == "__main__":
    style.main(__doc__, draw, "simulated_measured")
