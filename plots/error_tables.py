"""Tables of published values next to ours, and of the errors between them, as Markdown and CSV.

rows = [Row("ideal", ("pile", "8 ranks"), "flashcp", 1.31, 1.29)]
print(table(rows)); print(summary(rows))
"""

import csv
from collections import defaultdict
from dataclasses import replace

import numpy as np


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
    """Every row: published value, ours, their ratio or difference, and the extremes over seeds."""
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


def compared(rows):
    """The rows with a published value, except those that are 1 by definition."""
    return [r for r in rows if r.published is not None and not (r.published == 1 == r.ours)]


def errors(rows):
    """[(variant, strategy, whether in points, mean absolute error, mean error, bars)]."""
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
        f"\n\nPublished order of strategies, {variant}: kept in {good} of {groups} "
        f"groups ({100 * good / groups:.0f}%), {pairs} of {all_pairs} pairs "
        f"({100 * pairs / all_pairs:.0f}%)."
        for variant, (good, groups, pairs, all_pairs) in kept_order(rows, tie).items()
    )


def summary(rows, part=None, tie=0.0):
    """The errors per variant and strategy, per variant, and how far the published order is kept.

    `part(row)` divides a variant's rows further; published values within `tie` have no order.
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
