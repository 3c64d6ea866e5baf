"""Timeline of each rank in the traced iteration of the first pack: compute, transfers, waiting.

There is one panel per strategy, the fastest first, all on one time axis, and one row per rank. The
upper part of a row is what the rank computes, the lower part what it communicates; a thin line is
waiting, a black tick the start of the backward pass.

Of a folder, it shows the group of comparable runs in which the most strategies left a timeline, and
among equal ones the group with the most ranks. `cpbench trace FILE` writes the same for a viewer in
which you can zoom.
"""

import numpy as np
from matplotlib.collections import PolyCollection

import results
import style

PLACE = 30
HEIGHT = 9.3  # inches of all panels together: a page
MOST_RANKS = 64  # rows; of more ranks, an even selection is shown
# In grey, lightness distinguishes the compute activities: 32, 46, 62 and 89 of 100.
COLOURS = {
    "layer": "#00573F",
    "attention": "#0072B2",
    "merge": "#CC79A7",
    "copy": "#F0E442",
    "transfer": "#56B4E9",
    "send": "#666666",
    "wait": "#888888",
    "host": "#D55E00",
}
# Where an activity is drawn, in shares of the row's height from its top.
COMPUTE, COMMUNICATION = (0.06, 0.60), (0.66, 0.94)
TRACKS = {"transfer": COMMUNICATION, "send": COMMUNICATION}
THINNEST = 0.4 / 72  # inches: the least height of the line of waiting
MANY = 20_000  # rectangles; the PDF holds more of them as a bitmap


def panel_height(rows):
    return float(np.clip(0.15 * rows, 0.5, 2.0))


def place(name, row_height):
    if name not in ("wait", "host"):
        return TRACKS.get(name, COMPUTE)
    middle, half = sum(COMPUTE) / 2, max(0.06, THINNEST / row_height) / 2
    return middle - half, middle + half


def draw_activity(axes, name, rows, start, end, row_height):
    top, foot = place(name, row_height)
    corners = np.empty((len(rows), 4, 2))
    corners[:, :2, 0], corners[:, 2:, 0] = start[:, None], end[:, None]
    corners[:, [0, 3], 1] = (rows - 0.5 + top)[:, None]
    corners[:, [1, 2], 1] = (rows - 0.5 + foot)[:, None]
    look = {"facecolors": COLOURS[name], "linewidths": 0, "rasterized": len(rows) > MANY}
    axes.add_collection(PolyCollection(corners, **look))


def draw_panel(axes, run, ranks, unit):
    """Returns the names of the activities that occur."""
    line = run.timeline()
    row_of = np.full(run.ranks, -1)
    row_of[ranks] = np.arange(len(ranks))
    rows = row_of[line.rank]
    seen, row_height = [], panel_height(len(ranks)) / len(ranks)
    for code, name in enumerate(results.ACTIVITIES):
        which = (line.activity == code) & (rows >= 0)
        if which.any():
            seen.append(name)
            start, end = line.start[which] / unit, line.end[which] / unit
            draw_activity(axes, name, rows[which], start, end, row_height)
    for row in range(len(ranks)):
        turn = line.start[(rows == row) & line.backward]
        if turn.size:
            axes.plot([turn.min() / unit] * 2, [row - 0.5, row + 0.5], color="black", linewidth=0.8)
    ticks = style.rank_ticks(len(ranks))
    axes.set_yticks(ticks, [str(ranks[tick]) for tick in ticks])
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set_ylabel("rank")
    axes.grid(False)
    return seen


def traced(runs):
    return [run for run in runs if run.packs and run.packs[0].events]


def length(run):
    return float(run.timeline().end.max())


def worth(members):
    """The sort key of groups: more strategies, then a measured length set, then more ranks."""
    return (len(traced(members)), ":" not in members[0].workload, members[0].ranks)


def draw(runs):
    if not traced(runs):
        raise results.NothingToDraw("no run has a timeline: plans that did not run have none")
    common, groups = results.grouped(runs)
    words, members = max(groups.items(), key=lambda group: worth(group[1]))
    shown = sorted(traced(members), key=lambda run: (length(run), style.order(run.label)))
    rows = min(shown[0].ranks, MOST_RANKS)
    most = max(1, int(HEIGHT / (panel_height(rows) + 0.25)))
    note = [*words, *common, style.note_runs(shown)]
    if len(shown) > most:
        note.append(f"the fastest {most} of {len(shown)} strategies")
    shown = shown[:most]
    ranks = np.unique(np.linspace(0, shown[0].ranks - 1, rows).astype(int))
    if len(ranks) < shown[0].ranks:
        note.append(f"{len(ranks)} of {shown[0].ranks} ranks")
    last = max(length(run) for run in shown)
    unit, unit_name = style.time_unit(last)
    fig, panels, _ = style.panels(len(shown), 1, panel_height(rows) + 0.25, "full", sharex=True)
    seen = set()
    for axes, run in zip(panels, shown, strict=True):
        seen.update(draw_panel(axes, run, ranks, unit))
        axes.set_title(f"{run.label}: {style.time_text(length(run))}", loc="left")
        axes.set_xlim(0, 1.01 * last / unit)
    axes.set_xlabel(f"time since the start of the iteration ({unit_name})")
    style.footer(fig, note)
    names = [name for name in COLOURS if name in seen]
    handles = [
        style.plt.Line2D([], [], color=COLOURS[name], linewidth=1.5)
        if name == "wait"
        else style.swatch(facecolor=COLOURS[name])
        for name in names
    ]
    if any(run.direction == "both" for run in shown):
        tick = {"color": "black", "linestyle": "none", "marker": "|", "markersize": 7}
        handles.append(style.plt.Line2D([], [], **tick))
        names.append("backward begins")
    style.legend(fig, handles, names)
    return fig, shown
