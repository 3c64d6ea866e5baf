"""What the reproductions of all papers share: reading, comparing, tables, errors, bars.

cells = read_cells("results/runs/reproduce/flashcp/fig5.csv")     # by `cpbench reproduce`
published = read_published("flashcp_fig5_speedup")                # rows of results/published
rows = [Row("ideal", ("pile", "8 ranks"), "flashcp", 1.31, 1.29)]
print(table(rows)); print(summary(rows))

A module of a figure, reproduce_<method>_<figure>.py, has `compare(folder)`, which gives rows, and
`draw(rows)`, which gives a figure.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import style

PUBLISHED = Path(__file__).resolve().parent.parent / "results/published"
PACKS = PUBLISHED.parent / "reproduced/flashcp/packs.csv"
# Of a variant: as the profile says, on packs that were chosen to be like the paper's; or on the
# first packs that come.
FIRST = "first seeds"


@dataclass(frozen=True)
class Row:
    """One bar: what the paper says, what we find. `low` and `high` are the extremes over seeds."""

    variant: str  # "ideal", "paper-eager", "ideal, first seeds"
    group: tuple  # words that tell a group of bars apart
    strategy: str  # as a figure labels it
    published: float | None  # None: not in the paper
    ours: float
    low: float | None = None
    high: float | None = None
    unit: str = ""  # "": a ratio; "%": an absolute share, whose error is in points; else seconds

    @property
    def error(self):
        """Relative; of shares, in points."""
        if self.unit == "%":
            return self.ours - self.published
        return self.ours / self.published - 1


def rows_of_csv(path):
    """Dictionaries; lines that begin with # are skipped."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def read_published(name):
    return rows_of_csv(PUBLISHED / f"{name}.csv")


def chosen_seeds():
    """By workload those of the packs that are like the paper's."""
    chosen = defaultdict(set)
    for row in rows_of_csv(PACKS):
        if row["chosen"] == "yes":
            chosen[row["workload"]].add(int(row["seed"]))
    return chosen


def label(cell):
    return f"{cell['strategy']} ({cell['options']})" if cell["options"] else cell["strategy"]


def read_cells(path):
    """Cells that ran, as dictionaries with numbers where there are numbers."""
    cells = []
    for row in rows_of_csv(path):
        if row["status"] != "ok":
            continue
        for name, value in row.items():
            if name in ("strategy", "options", "workload", "file", "run_id", "plan_hash"):
                continue
            try:
                row[name] = float(value)
            except ValueError:
                continue
        row["label"] = label(row)
        cells.append(row)
    return cells


def size(text):
    """Tokens of "128K" or 131072."""
    if isinstance(text, float):
        return int(text)
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]]


def variants(cells):
    """[(variant, its cells)] of FlashCP's cells; a seed may be of both kinds."""
    chosen = chosen_seeds()
    profiles = sorted({cell["profile"] for cell in cells})  # "ideal" comes first
    found = [
        (
            profile,
            [c for c in cells if c["profile"] == profile and c["seed"] in chosen[c["workload"]]],
        )
        for profile in profiles
    ]
    first = [
        (f"{profile}, {FIRST}", [c for c in cells if c["profile"] == profile and c["seed"] <= 5])
        for profile in profiles
    ]
    return [*found, *first]


def drawn_variants(rows):
    """All, but of the packs as they come only `ideal`: the others stand in the tables."""
    all_of = dict.fromkeys(row.variant for row in rows)
    return [name for name in all_of if FIRST not in name or name.startswith("ideal")]


def speedups(cells, key, value="iteration_seconds", baseline="allgather"):
    """{(group, label): (ratio of the sums over seeds, its extremes over seeds)}."""
    by_group = defaultdict(lambda: defaultdict(dict))
    for cell in cells:
        by_group[key(cell)][cell["label"]][cell["seed"]] = cell[value]
    found = {}
    for group, strategies in by_group.items():
        base = strategies.get(baseline, {})
        for name, times in strategies.items():
            seeds = sorted(base.keys() & times.keys())
            if not seeds:
                continue
            each = [base[seed] / times[seed] for seed in seeds]
            whole = sum(base[seed] for seed in seeds) / sum(times[seed] for seed in seeds)
            found[group, name] = (whole, min(each), max(each))
    return found


# ---- tables


def number(value, unit=""):
    if value is None:
        return "-"
    return f"{value:.1f}" if unit in ("%", "ms") else f"{value:.3g}"


def markdown(heads, lines):
    return "\n".join(
        "| " + " | ".join(map(str, line)) + " |" for line in [heads, ["---"] * len(heads), *lines]
    )


def spread(row):
    if row.low is None or row.high is None:
        return "-"
    return f"{number(row.low, row.unit)} to {number(row.high, row.unit)}"


def table(rows):
    """Published, ours, ratio or points, and the spread over seeds."""
    heads = ("variant", "group", "strategy", "published", "ours", "ours / published", "over seeds")
    lines = []
    for row in rows:
        against = "-"
        if row.published is not None:
            against = f"{row.error:+.1f} points" if row.unit == "%" else f"{1 + row.error:.3f}"
            if row.unit != "%" and row.published == 0:
                against = "-"
        unit = f" {row.unit}" if row.unit else ""
        lines.append(
            (row.variant, ", ".join(row.group), row.strategy,
             number(row.published, row.unit) + unit, number(row.ours, row.unit) + unit, against,
             spread(row))
        )  # fmt: skip
    return markdown(heads, lines)


def write_csv(rows, path):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("variant", "group", "strategy", "unit", "published", "ours", "low", "high", "error")
        )
        for row in rows:
            error = "" if row.published is None else f"{row.error:.4f}"
            values = [
                "" if v is None else f"{v:.6g}"
                for v in (row.published, row.ours, row.low, row.high)
            ]
            writer.writerow(
                (row.variant, ", ".join(row.group), row.strategy, row.unit, *values, error)
            )


# ---- the error of a figure


def compared(rows):
    """Those with a published value that is not 1 by definition."""
    return [r for r in rows if r.published is not None and not (r.published == 1 == r.ours)]


def errors(rows):
    """[(variant, strategy, unit, mean absolute error, mean error, bars)]."""
    by = defaultdict(list)
    for row in compared(rows):
        by[row.variant, row.strategy, row.unit == "%"].append(row.error)
    return [
        (variant, strategy, points, np.mean(np.abs(found)), np.mean(found), len(found))
        for (variant, strategy, points), found in by.items()
    ]


def kept_order(rows, tie=0.0):
    """{variant: (groups whose published order is kept, groups, pairs kept, pairs)}.

    A pair is two strategies of a group whose published values differ by more than `tie`.
    """
    groups = defaultdict(list)
    for row in rows:
        if row.published is not None:
            groups[row.variant, row.group].append(row)
    kept = defaultdict(lambda: [0, 0, 0, 0])
    for (variant, _), members in groups.items():
        pairs = [
            (a, b) for a in members for b in members
            if a.strategy < b.strategy and abs(a.published - b.published) > tie + 1e-9
        ]  # fmt: skip
        if not pairs:
            continue
        good = sum((a.published < b.published) == (a.ours < b.ours) for a, b in pairs)
        count = kept[variant]
        count[0] += good == len(pairs)
        count[1] += 1
        count[2] += good
        count[3] += len(pairs)
    return {variant: tuple(count) for variant, count in kept.items()}


def error_text(value, points, sign=""):
    return f"{value:{sign}.1f} points" if points else f"{100 * value:{sign}.1f}%"


def order_text(rows, tie=0.0):
    return "".join(
        f"\n\nPublished order of strategies, {variant}: kept whole in {good} of {groups} "
        f"groups ({100 * good / groups:.0f}%), {pairs} of {all_pairs} pairs "
        f"({100 * pairs / all_pairs:.0f}%)."
        for variant, (good, groups, pairs, all_pairs) in kept_order(rows, tie).items()
    )


def summary(rows, part=None, tie=0.0):
    """The error per variant and strategy, all of a variant together, and the order that is kept.

    `part(row)` further divides the rows; published values within `tie` have no order.
    """
    heads = ("variant", "strategy", "mean absolute error", "mean error", "bars")
    lines = []
    parted = rows
    if part:
        parted = [replace(r, variant=f"{r.variant}, {part(r)}") for r in compared(rows)]
    found = errors(parted)
    for variant in dict.fromkeys(row.variant for row in parted):
        mine = [entry for entry in found if entry[0] == variant]
        for _, strategy, points, absolute, signed, bars in mine:
            lines.append(
                (variant, strategy, error_text(absolute, points), error_text(signed, points, "+"),
                 bars)
            )  # fmt: skip
        kinds = {entry[2] for entry in mine}
        if len(mine) > 1 and len(kinds) == 1:
            bars = sum(entry[5] for entry in mine)
            whole = sum(entry[3] * entry[5] for entry in mine) / bars
            lines.append((variant, "all", error_text(whole, kinds.pop()), "", bars))
    return markdown(heads, lines) + order_text(rows, tie)


# ---- figures


def outline(name):
    """How a published bar looks beside ours: the same hatch, no fill."""
    return {**style.bar(name), "facecolor": "white", "edgecolor": style.colour(name)}


def draw_groups(axes, groups, strategies, rows):
    """Bars by group: of each strategy the published value, unfilled, then ours, filled.

    `rows` is {(group, strategy): Row}; whiskers are the extremes over seeds.
    """
    width = 0.84 / (2 * len(strategies))
    for centre, group in enumerate(groups):
        for i, name in enumerate(strategies):
            row = rows.get((group, name))
            if row is None:
                continue
            x = centre + (2 * i - len(strategies) + 0.5) * width
            if row.published is not None:
                axes.bar(x, row.published, width, **outline(name))
            whiskers = {}
            if row.low is not None and row.high is not None:
                below, above = max(0, row.ours - row.low), max(0, row.high - row.ours)
                whiskers = {"yerr": [[below], [above]], "capsize": 1,
                            "error_kw": {"elinewidth": 0.5, "capthick": 0.5}}  # fmt: skip
            axes.bar(x + width, row.ours, width, **style.bar(name), **whiskers)
    axes.set_xticks(range(len(groups)))
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(groups) - 0.5)


def bar_legend(fig, strategies, ours="simulated"):
    patches = [style.plt.Rectangle((0, 0), 1, 1, **style.bar(name)) for name in strategies]
    grey = {"edgecolor": "black", "linewidth": 0.4}
    patches.append(style.plt.Rectangle((0, 0), 1, 1, facecolor="white", **grey))
    patches.append(style.plt.Rectangle((0, 0), 1, 1, facecolor="#999999", **grey))
    style.legend(fig, patches, [*strategies, "published: unfilled", f"{ours}: filled"])
