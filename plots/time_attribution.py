"""Where the time of an iteration goes: a stacked bar per strategy, whose parts sum to the whole.

One panel per workload, size, ranks and cluster. From the left: the compute of a perfectly even load
at the peak, what kernels lose against it, imbalance, communication that compute does not hide,
copies, padding, the layer around the attention, and the rest. The number at the right is the whole,
which a black line marks where a part is negative and stands left of zero: the rank that ended last
had less than its share to compute. What did not run says why.
"""

import style

import results

MOST_PANELS = 12  # beyond, the panels are too small to read
ROW = 0.19  # inches per strategy: a line of text and a little air
# Metric, words, colour and hatch; neighbours differ in lightness.
PARTS = (
    ("time_ideal", "ideal compute", "#0072B2", ""),
    ("time_kernel_inefficiency", "kernel inefficiency", "#A8D8F4", ""),
    ("time_imbalance", "imbalance", "#D55E00", "\\\\\\"),
    ("time_exposed_communication", "exposed communication", "#F0E442", "///"),
    ("time_copies", "copies and merges", "#7F4A67", ""),
    ("time_padding", "padding", "#BBBBBB", "xxx"),
    ("time_layer", "layer", "#009E73", ""),
    ("time_other", "other", "#FFFFFF", "..."),
)
VISIBLE = 0.005  # share of a bar; a part below it is a rounding error to the eye
WORDS = {"ok": "no attribution", "oom": "out of memory"}


def parts(run):
    """Seconds of each part that the run has, in the order of PARTS; {} without an attribution."""
    if run.status != "ok":
        return {}
    return {name: run.metrics[name] for name, *_ in PARTS if name in run.metrics}


def draw_bar(axes, row, found, unit):
    """Gives where the parts end: right of zero those above it, left of it those below."""
    ends = {True: 0.0, False: 0.0}
    for name, _, colour, hatch in PARTS:
        width = found.get(name, 0) / unit
        if width:
            look = {"facecolor": colour, "hatch": hatch, "edgecolor": "black", "linewidth": 0.4}
            axes.barh(row, width, 0.72, ends[width > 0], **look)
            ends[width > 0] += width
    if ends[False] < -VISIBLE * ends[True]:
        axes.plot([sum(ends.values())] * 2, [row - 0.45, row + 0.45], color="black", linewidth=1.2)
    return ends[False], ends[True]


def draw_panel(axes, members, labels):
    unit, unit_name = style.time_unit(max(sum(parts(run).values()) for run in members))
    lowest, highest = 0.0, 0.0
    for run in members:
        row, found = labels.index(run.label), parts(run)
        low, high = draw_bar(axes, row, found, unit)
        lowest, highest = min(lowest, low), max(highest, high)
        text = f"{sum(found.values()) / unit:.3g}" if found else WORDS.get(run.status, run.status)
        axes.text(high, row, f" {text}", va="center", color="black" if found else "#444444")
    if lowest < 0:
        axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlim(1.05 * lowest, 1.2 * highest)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), ["\n".join(style.broken(label, 22)) for label in labels])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(style.plt.MaxNLocator(4))
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlabel(f"{unit_name} of an iteration")


def draw(runs):
    timed = [run for run in runs if run.backend != "plan"]
    common, groups = results.grouped(timed) if timed else ((), {})
    groups = {words: rows for words, rows in groups.items() if any(parts(run) for run in rows)}
    if not groups:
        raise results.NothingToDraw("no run has a time attribution (metrics time_ideal and on)")
    shown = dict(list(groups.items())[:MOST_PANELS])
    everyone = [run for members in shown.values() for run in members]
    labels = sorted({run.label for run in everyone}, key=style.order)
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    fig, panels = style.figure(
        "full",
        0.3 + (0.75 + ROW * len(labels)) * rows,
        rows=rows,
        columns=columns,
        squeeze=False,
        sharey=True,
    )
    room = style.characters(0.75 * style.WIDTHS["full"] / columns)
    marks = {style.marks(members) for members in shown.values()}
    for axes, (words, members) in zip(panels.flat, shown.items(), strict=False):
        draw_panel(axes, members, labels)
        own = [style.marks(members)] if len(marks) > 1 else []
        axes.set_title("\n".join(style.wrapped([w for w in (*words, *own) if w], room)))
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    note = [*common, *filter(None, [style.note_runs(everyone)])]
    note += [f"the first {len(shown)} of {len(groups)} groups"] if len(shown) < len(groups) else []
    style.footer(fig, note)
    named = [part for part in PARTS if any(parts(run).get(part[0]) for run in everyone)]
    handles = [
        style.plt.Rectangle(
            (0, 0), 1, 1, facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.4
        )
        for _, _, colour, hatch in named
    ]
    style.legend(fig, handles, [words for _, words, _, _ in named])
    return fig, everyone


if __name__ == "__main__":
    style.main(__doc__, draw, "time_attribution")
