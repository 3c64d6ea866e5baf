"""How every figure looks: final sizes, fonts, one colour, marker and hatch per strategy.

figure, axes = style.figure("full", 2.4)
axes.bar(0, 1, **style.bar("flashcp"))
style.save(figure, "throughput", output, runs)
"""

import argparse
import datetime
import re
import sys
import zlib
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from results import NothingToDraw, ResultError, load_runs  # noqa: E402

WIDTHS = {"column": 3.3, "full": 7.0}  # inches, as printed
SMALLEST = 7  # points
NOT_DRAWN = 77  # exit code: the results hold nothing that the figure shows

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": SMALLEST,
        "axes.titlesize": SMALLEST + 0.5,
        "axes.labelsize": SMALLEST,
        "xtick.labelsize": SMALLEST,
        "ytick.labelsize": SMALLEST,
        "legend.fontsize": SMALLEST,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.hashsalt": "cpbench",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.axisbelow": True,
        "axes.grid.axis": "y",
        "axes.grid": True,
        "grid.linewidth": 0.4,
        "grid.color": "#dddddd",
        "hatch.linewidth": 0.5,
        "lines.linewidth": 1.0,
        "lines.markersize": 4,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "savefig.dpi": 200,
    }
)

# Three cycles whose lengths share no factor: no two places below 99 have the same colour and
# marker, nor the same colour and hatch, nor the same marker and hatch. Colours after Okabe and Ito
# (2008), chosen for colour blindness, each in a dark and a light variant; markers that are still
# told apart when small.
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#666666",
    "#00466E",
    "#8C6100",
    "#00573F",
    "#7F4A67",
    "#A8D8F4",
    "#8A3D00",
    "#B8AD1F",
    "#BBBBBB",
)
MARKERS = "osD^vPX<>p*"
HATCHES = ("", "///", "\\\\\\", "...", "xxx", "---", "ooo", "|||", "++")

# By name for good: a strategy keeps its place when others come.
KNOWN = (
    "flashcp",
    "ring",
    "zigzag",
    "allgather",
    "per_doc",
    "ulysses",
    "fcp",
    "flexcp",
    "striped",
    "wlb",
    "usp",
    "loongtrain",
    "bytescale",
    "megatron_hybrid",
    "distca",
    "dcp",
    "flexsp",
    "magi",
    "pass_q",
    "pass_auto",
)
UNKNOWN_PLACES = 78  # 20 + 78 places are fewer than 9 * 11


def place(strategy):
    if strategy in KNOWN:
        return KNOWN.index(strategy)
    return len(KNOWN) + zlib.crc32(strategy.encode()) % UNKNOWN_PLACES  # the same everywhere


def strategy_of(label):
    return label.split(" (")[0]


def _look(cycle, label):
    """A strategy with options set looks unlike the strategy itself, by the text of the options."""
    shift = 0
    if label != strategy_of(label):
        shift = 1 + zlib.crc32(label.encode()) % (len(cycle) - 1)
    return cycle[(place(strategy_of(label)) + shift) % len(cycle)]


def colour(label):
    """The strategy's, whatever its options."""
    return COLOURS[place(strategy_of(label)) % len(COLOURS)]


def marker(label):
    return _look(MARKERS, label)


def hatch(label):
    return _look(HATCHES, label)


def bar(label):
    return {
        "facecolor": colour(label),
        "hatch": hatch(label),
        "edgecolor": "black",
        "linewidth": 0.4,
    }


def line(label):
    return {
        "color": colour(label),
        "marker": marker(label),
        "markeredgecolor": "black",
        "markeredgewidth": 0.4,
    }


def order(label):
    """For sorting: strategies in the order of their places, variants by their options."""
    return (place(strategy_of(label)), label)


def broken(word, width):
    """A word in lines of at most `width`: broken after `:,/` or a space if it can be."""
    lines = [""]
    for piece in re.findall(r"[^:,/ ]*[:,/ ]?", word):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
        while len(lines[-1]) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return [line.strip() for line in lines if line.strip()]


def wrapped(words, width, joint=", "):
    """Words joined into lines of at most `width` characters."""
    lines = []
    for word in words:
        if lines and len(lines[-1]) + len(joint) + len(word) <= width:
            lines[-1] += joint + word
        else:
            lines += broken(word, width)
    return lines


def characters(inches):
    """How many characters of the smallest size fit; wide ones are rarer than narrow ones."""
    return max(8, int(inches / (0.0092 * SMALLEST)))


def rank_ticks(ranks, most=8):
    """Whole ranks, at most `most` of them, from 0 on."""
    return list(range(0, ranks, -(-ranks // most)))


def figure(width, height, rows=1, columns=1, **options):
    return plt.subplots(rows, columns, figsize=(WIDTHS[width], height), **options)


def legend(fig, handles, labels):
    """Above all panels, in as many columns as fit; the figure grows by its height."""
    labels = ["\n".join(broken(label, characters(fig.get_figwidth()) - 6)) for label in labels]
    for columns in range(min(len(labels), 8), 0, -1):
        columns = -(-len(labels) // -(-len(labels) // columns))  # no column short of many
        made = fig.legend(
            handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.2
        )
        box = made.get_window_extent()
        if box.width <= fig.bbox.width or columns == 1:
            break
        made.remove()
    fig.set_figheight(fig.get_figheight() + box.height / fig.dpi)


def footer(fig, notes):
    """Below all panels: what holds for all of them."""
    lines = wrapped(notes, characters(fig.get_figwidth()), "; ")
    fig.supxlabel("\n".join(lines), fontsize=SMALLEST)


def time_unit(seconds):
    """(seconds of the unit, its name): the unit in which the value is at least 1."""
    units = ((1, "s"), (1e-3, "ms"), (1e-6, "us"))
    return next((unit for unit in units if unit[0] <= seconds), units[-1])


def time_text(seconds):
    unit, name = time_unit(seconds)
    return f"{seconds / unit:.3g} {name}"


def model_errors(runs):
    """How far the models of simulated runs were off when they were last calibrated."""
    return sorted({run.model_error for run in runs if run.simulated} - {""})


def marks(runs):
    """What tells these runs' times from others': one or two words, or none."""
    words = ["oversubscribed"] if any(run.oversubscribed == "yes" for run in runs) else []
    return ", ".join(words + (["simulated"] if any(run.simulated for run in runs) else []))


def note_runs(runs):
    """What a reader must know before believing the times, or nothing."""
    notes = []
    if any(run.oversubscribed == "yes" for run in runs):
        notes.append("oversubscribed: more ranks than cores")
    if any(run.simulated for run in runs):
        notes.append(": ".join(["simulated", *model_errors(runs)]))
    return "; ".join(notes)


def save(fig, name, output, runs):
    """<output>/<name>.pdf and .png, with the ids of the runs and without the time of day."""
    ids = " ".join(sorted({run.run_id for run in runs}))
    output.mkdir(parents=True, exist_ok=True)
    fixed = datetime.datetime(2000, 1, 1)
    paths = [output / f"{name}.pdf", output / f"{name}.png"]
    fig.savefig(
        paths[0],
        metadata={
            "Title": name,
            "Subject": f"runs {ids}",
            "Creator": "cpbench",
            "Producer": "matplotlib",
            "CreationDate": fixed,
        },
    )
    fig.savefig(
        paths[1], metadata={"Title": name, "Description": f"runs {ids}", "Software": "cpbench"}
    )
    plt.close(fig)
    return paths


def main(doc, draw, name, load=load_runs, arguments=None):
    """FIGURE RUN_DIR... [--output DIR]; `draw(load(...))` gives the figure and what it shows."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "runs", metavar="RUN_DIR", nargs="+", help="folder with result files, or one file"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="where PDF and PNG go (default: RUN_DIR/plots)"
    )
    arguments = parser.parse_args(arguments)
    folder = Path(arguments.runs[0])
    if len(arguments.runs) > 1 and load is not load_runs:
        parser.error("takes one folder")
    output = arguments.output or (folder.parent if folder.is_file() else folder) / "plots"
    try:
        several = len(arguments.runs) > 1
        loaded = [run for path in arguments.runs for run in load(path)] if several else load(folder)
        fig, shown = draw(loaded)
        for path in save(fig, name, output, shown):
            print(path)
    except NothingToDraw as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(NOT_DRAWN)
    except (ResultError, OSError) as error:
        sys.exit(f"{name}: {error}")
