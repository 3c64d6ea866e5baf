"""How every figure looks: final sizes, fonts, one colour, marker and hatch per strategy.

    figure, axes = style.figure("full", 2.4)
    axes.bar(0, 1, **style.bar("flashcp"))
    style.save(figure, "throughput", output, runs)
"""

import argparse
import datetime
import sys
import zlib
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from results import ResultError, load_runs  # noqa: E402

WIDTHS = {"column": 3.3, "full": 7.0}  # inches, as printed
SMALLEST = 7  # points

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": SMALLEST, "axes.titlesize": SMALLEST + 0.5,
    "axes.labelsize": SMALLEST, "xtick.labelsize": SMALLEST, "ytick.labelsize": SMALLEST,
    "legend.fontsize": SMALLEST, "pdf.fonttype": 42, "ps.fonttype": 42, "svg.hashsalt": "cpbench",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6,
    "axes.axisbelow": True, "axes.grid.axis": "y", "axes.grid": True, "grid.linewidth": 0.4,
    "grid.color": "#dddddd", "hatch.linewidth": 0.5, "lines.linewidth": 1.0,
    "lines.markersize": 4, "legend.frameon": False, "legend.handlelength": 1.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "figure.constrained_layout.use": True,
    "figure.dpi": 100, "savefig.dpi": 200,
})

# After Okabe and Ito (2008), chosen for colour blindness, each in a dark and a light variant; the
# neighbours in a figure differ in lightness too, and marker and hatch tell all apart in grey.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666",
           "#00466E", "#8C6100", "#00573F", "#7F4A67", "#A8D8F4", "#8A3D00", "#B8AD1F", "#BBBBBB")
MARKERS = "osD^vPX<>ph*8dHs"
HATCHES = ("", "///", "\\\\\\", "...", "xxx", "---", "ooo", "|||")

# By name for good: a strategy keeps its place when others come.
KNOWN = ("flashcp", "ring", "zigzag", "allgather", "per_doc", "ulysses", "fcp", "flexcp",
         "striped", "wlb", "usp", "loongtrain", "bytescale", "megatron_hybrid", "distca", "dcp",
         "flexsp", "magi", "pass_q", "pass_auto")


def _place(strategy):
    if strategy in KNOWN:
        return KNOWN.index(strategy)
    return len(KNOWN) + zlib.crc32(strategy.encode()) % 97  # the same everywhere


def colour(strategy):
    return COLOURS[_place(strategy) % len(COLOURS)]


def marker(strategy):
    return MARKERS[_place(strategy) % len(MARKERS)]


def hatch(strategy):
    place = _place(strategy)
    return HATCHES[(place + place // len(HATCHES)) % len(HATCHES)]


def bar(strategy):
    return {"facecolor": colour(strategy), "hatch": hatch(strategy), "edgecolor": "black",
            "linewidth": 0.4}


def line(strategy):
    return {"color": colour(strategy), "marker": marker(strategy), "markeredgecolor": "black",
            "markeredgewidth": 0.4}


def strategy_of(label):
    return label.split(" (")[0]


def order(label):
    """For sorting: strategies in the order of their places, variants by their options."""
    return (_place(strategy_of(label)), label)


def wrapped(words, width=24):
    """Words joined by commas into lines of at most `width` characters."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 2 > width:
            lines.append(word)
        else:
            lines[-1] += f", {word}"
    return lines


def nested(index, count):
    """Marker sizes that shrink from the first to the last, so that equal points stay visible."""
    return {"markersize": 7.5 - 3.5 * index / max(count - 1, 1)}


def rank_ticks(ranks, most=8):
    """Whole ranks, at most `most` of them, from 0 on."""
    return list(range(0, ranks, -(-ranks // most)))


def figure(width, height, rows=1, columns=1, **options):
    return plt.subplots(rows, columns, figsize=(WIDTHS[width], height), **options)


def legend(fig, handles, labels, columns=6):
    """Above all panels, where it covers no data."""
    columns = min(columns, len(labels))
    fig.legend(handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.2)


def note_runs(runs):
    """What a reader must know before believing the times, or nothing."""
    if any(run.oversubscribed == "yes" for run in runs):
        return "oversubscribed CPU: more ranks than cores"
    return ""


def save(fig, name, output, runs):
    """<output>/<name>.pdf and .png, with the ids of the runs and without the time of day."""
    ids = " ".join(sorted({run.run_id for run in runs}))
    output.mkdir(parents=True, exist_ok=True)
    fixed = datetime.datetime(2000, 1, 1)
    paths = [output / f"{name}.pdf", output / f"{name}.png"]
    fig.savefig(paths[0], metadata={"Title": name, "Subject": f"runs {ids}", "Creator": "cpbench",
                                    "Producer": "matplotlib", "CreationDate": fixed})
    fig.savefig(paths[1], metadata={"Title": name, "Description": f"runs {ids}",
                                    "Software": "cpbench"})
    plt.close(fig)
    return paths


def main(doc, draw, name):
    """FIGURE RUN_DIR [--output DIR]; `draw(runs)` gives the figure and the runs it shows."""
    parser = argparse.ArgumentParser(description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN_DIR", help="folder with result files, or one file")
    parser.add_argument("--output", metavar="DIR", type=Path,
                        help="where PDF and PNG go (default: RUN_DIR/plots)")
    arguments = parser.parse_args()
    folder = Path(arguments.runs)
    output = arguments.output or (folder.parent if folder.is_file() else folder) / "plots"
    try:
        fig, shown = draw(load_runs(folder))
        for path in save(fig, name, output, shown):
            print(path)
    except (ResultError, OSError) as error:
        sys.exit(f"{name}: {error}")
