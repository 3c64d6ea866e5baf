"""Flexible CP: the error of its estimated times, next to the published range.

The strategy reports the time that it expects of each step (`planned_seconds`), by which it chooses
the groups; ours is how far that is from the simulated time of the step, a mean over steps.
"""

import numpy as np

import style
from claims import Claim, yes
from flexcp import FLEXIBLE, OURS, arm_of, short
from published import Row, read_published, read_runs
from results import ResultError, load_runs

TITLE = "Flexible CP: expected compared with simulated time of a step"


def errors(path):
    """Of each step of a run: expected / simulated time - 1, in percent."""
    (run,) = load_runs(path)
    if not all("planned_seconds" in pack.properties for pack in run.packs):
        raise ResultError(f"{path}: has no expected times, as files of earlier versions; remove it")
    return [100 * (pack.properties["planned_seconds"] / pack.seconds.max() - 1)
            for pack in run.packs]  # fmt: skip


def compare(folder):
    rows = []
    for run in read_runs(folder / "estimator.csv"):
        found = errors(run["file"])
        size = float(np.mean(np.abs(found)))
        rows.append(Row("ideal", (run["workload"],), arm_of(run)[0], None, size,
                        min(found), max(found), unit="%"))  # fmt: skip
    return rows


def published_range():
    (row,) = read_published("flexcp_estimator")
    return float(row["low_percent"]), float(row["high_percent"])


def of_arm(rows, arm):
    """(mean error over length sets, least and greatest signed error of a step)"""
    mine = [row for row in rows if row.strategy == arm]
    return (np.mean([row.ours for row in mine]), min(row.low for row in mine),
            max(row.high for row in mine))  # fmt: skip


def arms(rows):
    return list(dict.fromkeys(row.strategy for row in rows))


def closing(rows):
    low, high = published_range()
    lines = [f"`{arm}` {mean:.0f}%, steps {least:+.1f} to {most:+.1f}%"
             for arm in arms(rows) for mean, least, most in [of_arm(rows, arm)]]  # fmt: skip
    return f"Expected compared with simulated time of a step: {'; '.join(lines)}. " + (
        f"Published {low:.0f} to {high:.0f}%, compared with measured times."
    )


def claims(rows):
    low, high = published_range()
    found = []
    for arm in arms(rows):
        mean, least, most = of_arm(rows, arm)
        count = sum(row.strategy == arm for row in rows)
        found.append(
            Claim("estimator", f"error of expected times ({arm}, {count} length sets)",
                  f"{low:.0f} to {high:.0f}%",
                  f"{mean:.0f}% on average; steps {least:+.1f} to {most:+.1f}%", yes(mean <= high))
        )  # fmt: skip
    return found


def draw(rows, notes):
    fig, axes = style.figure("full", 2.4)
    axes.axhspan(*published_range(), color="#dddddd", label="published")
    groups = list(dict.fromkeys(row.group for row in rows))
    for arm, side in ((FLEXIBLE, -1), (OURS, 1)):
        mine = [row for row in rows if row.strategy == arm]
        look = {**style.bar("flexcp"), **({"hatch": "///"} if arm == OURS else {})}
        at = [groups.index(row.group) + 0.2 * side for row in mine]
        axes.bar(at, [row.ours for row in mine], 0.4, label=arm, **look)
    room = style.characters(0.85 * style.WIDTHS["full"] / max(1, len(groups)))
    labels = ["\n".join(style.broken(short(group[0]), room)) for group in groups]
    axes.set_xticks(range(len(groups)), labels)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("error of expected time, %")
    style.footer(fig, ["mean over 4 steps of |expected / simulated - 1|", *notes])
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig
