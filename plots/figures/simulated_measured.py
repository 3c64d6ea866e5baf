"""Simulated against measured times of an iteration.

There is one mark per run that was both simulated and measured: the same strategy on the same
problem. On the line the two agree; the grey band is 10% around it. The numbers are the mean of
|simulated / measured - 1| over all pairs and by strategy, and the worst of all.

Give one folder that holds both kinds of results, or several folders.
"""

import numpy as np

import results
import style

PLACE = 40
BAND = 0.1
# The keys that say how a run was made; the others say what was run.
HOW = ("backend", "kernel", "cluster", "network", "profile")


def what(run):
    keys = [key for key in results.GROUP_KEYS if key not in HOW]
    return (run.label, *(run.attributes[key] for key in keys))


def pairs(runs):
    """[(simulated run, measured run)]; a measured run is paired with each of its simulations."""
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
    """{label: array of simulated / measured - 1}, in the order of the strategies."""
    by_label = {}
    for simulated, measured in found:
        by_label.setdefault(simulated.label, []).append(simulated.seconds / measured.seconds - 1)
    return {label: np.array(by_label[label]) for label in sorted(by_label, key=style.order)}


def summary(found):
    """'mean error 8%, worst +21% (zigzag), 12 runs'."""
    by_label = errors(found)
    everything = np.concatenate(list(by_label.values()))
    label = max(by_label, key=lambda name: np.abs(by_label[name]).max())
    worst = by_label[label][np.abs(by_label[label]).argmax()]
    count = f"{len(everything)} run" + ("s" if len(everything) > 1 else "")
    return f"mean error {np.abs(everything).mean():.0%}, worst {worst:+.0%} ({label}), {count}"


def draw(runs):
    found = pairs(runs)
    if not found:
        raise results.NothingToDraw("no run was both simulated and measured")
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
    axes.set_xlabel(f"measured time of an iteration ({unit_name})")
    axes.set_ylabel(f"simulated time of an iteration ({unit_name})")
    style.title(axes, summary(found).split(", "), style.WIDTHS["column"])
    measured = [run for _, run in found]
    common, _ = results.grouped(measured)
    everyone = [run for pair in found for run in pair]
    # The figure itself shows the error, so those on published runs would only fill the page.
    notes = style.note_runs(everyone).split("; ")
    own = [note for note in notes if "published run" not in note]
    style.footer(fig, [*common, "; ".join(own), f"band: {BAND:.0%}", "legend: mean error"])
    handles = [style.sample_mark(label, markersize=5) for label in by_label]
    labels = [f"{label} {np.abs(error).mean():.0%}" for label, error in by_label.items()]
    style.legend(fig, handles, labels)
    return fig, everyone
