"""Where the time of an iteration goes: one stacked bar per strategy, whose parts sum to the whole.

There is one panel per workload, size, number of ranks and cluster. From the left: the compute time
of a perfectly even load at the GPU's peak, what kernels lose against it, imbalance (ranks wait for
the work of others), communication that compute does not hide, copies, padding, the layer around the
attention, waiting for the host, and the rest. They follow from running the same program where
exchanges take no time. The number at the right is the whole. A strategy that did not run says why.
"""

import results
import style

PLACE = 20
MOST_PANELS = 12  # more would be too small to read
# Metric, name in the legend, colour and hatch; neighbours differ in lightness.
PARTS = (
    ("time_ideal", "ideal compute", "#0072B2", ""),
    ("time_kernel_inefficiency", "kernel inefficiency", "#A8D8F4", ""),
    ("time_imbalance", "imbalance", "#D55E00", "\\\\\\"),
    ("time_exposed_communication", "exposed communication", "#F0E442", "///"),
    ("time_copies", "copies and merges", "#7F4A67", ""),
    ("time_padding", "padding", "#BBBBBB", "xxx"),
    ("time_layer", "layer", "#009E73", ""),
    ("time_host", "host", "#56B4E9", "++"),
    ("time_other", "other", "#FFFFFF", "..."),
)
WORDS = {"ok": "no attribution", "oom": "out of memory"}


def parts(run):
    """Seconds of each part, in the order of PARTS; {} if the run has no attribution."""
    if run.status != "ok":
        return {}
    return {name: run.metrics[name] for name, *_ in PARTS if name in run.metrics}


def draw_bar(axes, row, found, unit):
    """Returns where the bar ends."""
    end = 0.0
    for name, _, colour, hatch in PARTS:
        width = found.get(name, 0) / unit
        if width:
            look = {"facecolor": colour, "hatch": hatch, "edgecolor": "black", "linewidth": 0.4}
            axes.barh(row, width, 0.72, end, **look)
            end += width
    return end


def draw_panel(axes, members, labels):
    unit, unit_name = style.time_unit(max(sum(parts(run).values()) for run in members))
    highest = 0.0
    for run in members:
        row, found = labels.index(run.label), parts(run)
        end = draw_bar(axes, row, found, unit)
        highest = max(highest, end)
        text = f"{end:.3g}" if found else WORDS.get(run.status, run.status)
        axes.text(end, row, f" {text}", va="center", color="black" if found else "#444444")
    axes.set_xlim(0, 1.2 * highest)
    style.strategy_rows(axes, labels)
    axes.xaxis.set_major_locator(style.plt.MaxNLocator(4))
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlabel(f"time of an iteration ({unit_name})")


def draw(runs):
    timed = [run for run in runs if run.backend != "plan"]
    common, groups = results.grouped(timed)
    groups = {words: rows for words, rows in groups.items() if any(parts(run) for run in rows)}
    if not groups:
        raise results.NothingToDraw("no run has a time attribution (metrics time_ideal and on)")
    shown, left_out = style.first(groups, MOST_PANELS)
    everyone = [run for members in shown.values() for run in members]
    labels = style.labels_of(everyone)
    fig, panels, columns = style.panels(
        len(shown), 3, 0.75 + style.rows_height(labels), "full", sharey=True
    )
    marks = {style.marks(members) for members in shown.values()}
    for axes, (words, members) in zip(panels, shown.items(), strict=True):
        draw_panel(axes, members, labels)
        own = [style.marks(members)] if len(marks) > 1 else []
        style.title(axes, [*words, *own], 0.75 * style.WIDTHS["full"] / columns)
    style.footer(fig, [*common, style.note_runs(everyone), *left_out])
    named = [part for part in PARTS if any(parts(run).get(part[0]) for run in everyone)]
    handles = [
        style.swatch(facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.4)
        for _, _, colour, hatch in named
    ]
    style.legend(fig, handles, [words for _, words, _, _ in named])
    return fig, everyone
