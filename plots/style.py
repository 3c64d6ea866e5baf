"""How every figure looks: final sizes, fonts, one colour, marker and hatch per strategy.

figure, axes = style.figure("full", 2.4)
axes.bar(0, 1, **style.bar("flashcp"))
style.save(figure, "throughput", output, runs)
"""

import datetime
import re
import zlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

WIDTHS = {"column": 3.3, "full": 7.0}  # inches, as printed
SMALLEST = 7  # points

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": SMALLEST,
        "axes.titlesize": SMALLEST + 0.5,
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
# marker, the same colour and hatch, or the same marker and hatch. The colours follow Okabe and Ito
# (2008), who chose them for colour blindness, each in a dark and a light variant; the markers can
# still be told apart when they are small.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666",
    "#00466E", "#8C6100", "#00573F", "#7F4A67", "#A8D8F4", "#8A3D00", "#B8AD1F", "#BBBBBB",
)  # fmt: skip
MARKERS = "osD^vPX<>p*"
HATCHES = ("", "///", "\\\\\\", "...", "xxx", "---", "ooo", "|||", "++")

# The position in this list is a strategy's place for good: append new names, never insert them.
KNOWN = (
    "flashcp", "ring", "zigzag", "allgather", "per_doc", "ulysses", "fcp", "flexcp",
    "striped", "wlb", "usp", "loongtrain", "bytescale", "megatron_hybrid", "distca", "dcp",
    "flexsp", "magi", "pass_q", "pass_auto", "deepspeed_static",
    "burst", "halo", "upipe", "torch_ptrr", "zeppelin", "megatron_dynamic", "mesh", "wlb_oracle",
)  # fmt: skip
UNKNOWN_PLACES = 69  # 29 + 69 places are fewer than 9 * 11


def place(strategy):
    if strategy in KNOWN:
        return KNOWN.index(strategy)
    return len(KNOWN) + zlib.crc32(strategy.encode()) % UNKNOWN_PLACES  # the same everywhere


def strategy_of(label):
    return label.split(" (")[0]


def _look(cycle, label):
    """The strategy's own look, or another one that follows from the text of its options."""
    shift = 0
    if label != strategy_of(label):
        shift = 1 + zlib.crc32(label.encode()) % (len(cycle) - 1)
    return cycle[(place(strategy_of(label)) + shift) % len(cycle)]


def colour(label):
    """The colour of a strategy, which its options do not change."""
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
    """The sort key of labels: strategies by their places, variants by their options."""
    return (place(strategy_of(label)), label)


def labels_of(runs):
    """The labels of the runs, sorted, each once."""
    return sorted({run.label for run in runs}, key=order)


def broken(word, width):
    """A word in lines of at most `width` characters, broken after `:,/` or a space if possible."""
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
    """How many characters of the smallest font fit into so many inches."""
    return max(8, int(inches / (0.0092 * SMALLEST)))


def rank_ticks(ranks, most=8):
    """At most `most` evenly spaced ranks, beginning with rank 0."""
    return list(range(0, ranks, -(-ranks // most)))


def figure(width, height, rows=1, columns=1, **options):
    return plt.subplots(rows, columns, figsize=(WIDTHS[width], height), **options)


def panels(count, most_columns, row_height, width=None, **options):
    """A figure with `count` panels in rows: the figure, its axes in order, the number of columns.

    It has the full width if `width` is not given and there is more than one column.
    """
    columns = min(count, most_columns)
    rows = -(-count // columns)
    width = width or ("full" if columns > 1 else "column")
    fig, axes = figure(width, 0.3 + row_height * rows, rows, columns, squeeze=False, **options)
    for unused in axes.flat[count:]:
        unused.set_visible(False)
    return fig, list(axes.flat[:count]), columns


def first(groups, most):
    """The first `most` groups, and a note if this leaves some out."""
    if len(groups) <= most:
        return groups, []
    return dict(list(groups.items())[:most]), [f"the first {most} of {len(groups)} groups"]


def row_lines(label):
    """The name at the left of a strategy's row, in lines."""
    return broken(label, 26)


def rows_height(labels):
    """Inches of such rows: the lines of the longest name, and a little air, for each."""
    return len(labels) * (0.08 + 0.11 * max(len(row_lines(label)) for label in labels))


def strategy_rows(axes, labels):
    """One horizontal row per strategy, from the top, with its name at the left."""
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), ["\n".join(row_lines(label)) for label in labels])
    axes.tick_params(axis="y", length=0)


def title(axes, words, inches):
    """A title that breaks into lines of so many inches."""
    axes.set_title("\n".join(wrapped([word for word in words if word], characters(inches))))


def swatch(**look):
    """A legend's sample of a filled area."""
    return plt.Rectangle((0, 0), 1, 1, **look)


def sample_mark(label, **look):
    """A legend's sample of a strategy's marker."""
    return plt.Line2D([], [], linestyle="none", **look, **line(label))


def legend(fig, handles, labels):
    """The legend above all panels, in as many columns as fit; the figure grows by its height."""
    labels = ["\n".join(broken(label, characters(fig.get_figwidth()) - 6)) for label in labels]
    for columns in range(min(len(labels), 8), 0, -1):
        columns = -(-len(labels) // -(-len(labels) // columns))  # columns of about equal length
        made = fig.legend(
            handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.2
        )
        box = made.get_window_extent()
        if box.width <= fig.bbox.width or columns == 1:
            break
        made.remove()
    fig.set_figheight(fig.get_figheight() + box.height / fig.dpi)


def footer(fig, notes):
    """A line below all panels: what holds for all of them."""
    lines = wrapped([note for note in notes if note], characters(fig.get_figwidth()), "; ")
    fig.supxlabel("\n".join(lines), fontsize=SMALLEST)


def time_unit(seconds):
    """(seconds of the unit, its name) of the largest unit in which the value is at least 1."""
    units = ((1, "s"), (1e-3, "ms"), (1e-6, "us"))
    return next((unit for unit in units if unit[0] <= seconds), units[-1])


def time_text(seconds):
    unit, name = time_unit(seconds)
    return f"{seconds / unit:.3g} {name}"


def count_text(value):
    """1234567 as "1.23M"."""
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def model_parts(errors):
    """The parts of such texts, each once: the models, and how far they are off from whole runs."""
    parts = dict.fromkeys(part for text in errors if text for part in text.split("; "))
    start = "no published run of "
    missing = [part.removeprefix(start) for part in parts if part.startswith(start)]
    others = [part for part in parts if not part.startswith(start)]
    return [*others, start + ", ".join(missing)] if missing else others


def marks(runs):
    """Warnings about the times of these runs in one or two words, or an empty text."""
    words = ["oversubscribed"] if any(run.oversubscribed == "yes" for run in runs) else []
    return ", ".join(words + (["simulated"] if any(run.simulated for run in runs) else []))


def note_runs(runs):
    """What a reader must know before believing the times, or an empty text."""
    notes = []
    if any(run.oversubscribed == "yes" for run in runs):
        notes.append("oversubscribed: more ranks than cores")
    if any(run.simulated for run in runs):
        notes += ["simulated", *model_parts(run.model_error for run in runs if run.simulated)]
    return "; ".join(notes)


def save(fig, name, output, runs):
    """Writes <output>/<name>.pdf and .png, which hold the run ids and no time of day."""
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
