"""Lays out the page of `cpbench history show --page FILE`: series of measured times, and where they
changed.

`cpbench history show` starts it and hands it the series as JSON on standard input, as
`--format json` prints them, with the title and the path of the page.
"""

import json
import sys
from pathlib import Path

try:
    import page
    import report
    import report_figures
    import style
except ImportError as error:
    print(
        f"cpbench: error: the page requires the Python package '{error.name}'; run scripts/setup",
        file=sys.stderr,
    )
    sys.exit(2)

MOST_FIGURES = 40  # series that are drawn; the table has all
MOST_TICKS = 8
ROOM = 0.15  # of a time, below the least and above the greatest: noise fills no axis


def draw(series):
    """Medians with their 95% intervals, one per measurement, and the level between changes."""
    points, changes = series["points"], series["changes"]
    unit, name = style.time_unit(min(point["seconds"] for point in points))
    times = [point["seconds"] / unit for point in points]
    ends = [[p["seconds"] - p["low"] for p in points], [p["high"] - p["seconds"] for p in points]]
    fig, axes = style.figure("full", 1.9)
    axes.errorbar(
        range(len(points)), times, [[e / unit for e in end] for end in ends],
        color="#0072B2", marker="o", markersize=3, linewidth=0.8, elinewidth=0.6, capsize=1.5,
    )  # fmt: skip
    begins = [0, *(change["at"] for change in changes)]
    levels = [change["before_seconds"] for change in changes[:1]]
    levels += [change["after_seconds"] for change in changes]
    for begin, end, level in zip(begins, [*begins[1:], len(points)], levels, strict=False):
        axes.plot([begin - 0.5, end - 0.5], [level / unit] * 2, color="#D55E00", linestyle="--")
    for change in changes:
        axes.axvline(change["at"] - 0.5, color="#D55E00", linewidth=0.6, linestyle=":")
        label = f"{change['after_seconds'] / change['before_seconds'] - 1:+.1%} "
        axes.text(
            change["at"] - 0.5, 1, label, transform=axes.get_xaxis_transform(), ha="right", va="top"
        )
    step = -(-len(points) // MOST_TICKS)
    ticks = range(0, len(points), step)
    axes.set_xticks(ticks, [f"{points[i]['commit'][:10]}\n{points[i]['day']}" for i in ticks])
    axes.set_xlim(-0.7, len(points) - 0.3)
    axes.set_ylim((1 - ROOM) * min(times), (1 + ROOM) * max(times))
    axes.set_ylabel(f"time of an iteration ({name})")
    return fig


def told_apart(all_series):
    """(what holds for all series, [(what tells one apart, that series)]).

    A strategy tells series apart even where there is only one.
    """
    words = [[*one["words"].split(", "), f"machine {one['machine']}"] for one in all_series]
    common = [word for word in words[0][1:] if all(word in other for other in words)]
    own = [", ".join(word for word in other if word not in common) for other in words]
    return ", ".join(common), list(zip(own, all_series, strict=True))


def rows(named):
    for name, one in named:
        words = "\n".join(change["words"] for change in one["changes"])
        last = style.time_text(one["points"][-1]["seconds"])
        yield [name, words, last, str(len(one["points"]))]


def document(given):
    common, named = told_apart(given["series"])
    columns = [
        {"name": name, "number": name in ("last time", "points")}
        for name in ("run", "changes", "last time", "points")
    ]
    body = page.element("h1", f"cpbench: {given['title']}")
    body += page.element(
        "p",
        "Measured times of the same runs on the same machine, from commit to commit; those that "
        "changed last come first. Changes are found by E-divisive means with a permutation test. "
        "The axes of times do not begin at 0.",
    )
    body += page.element("p", f"All runs: {common}.") if common else ""
    body += page.table(columns, [{"heading": "", "rows": list(rows(named))}])
    figures = ""
    for number, (name, one) in enumerate(named[:MOST_FIGURES]):
        drawing = report_figures.svg(draw(one), f"series{number}")
        caption = page.element("figcaption", name)
        figures += f"<figure>\n{drawing}{caption}</figure>\n"
    body += page.section("Series", page.Markup(figures))
    return page.document(given["title"], body)


def main():
    given = json.load(sys.stdin)
    try:
        report.write(Path(given["output"]), document(given))
    except OSError as error:
        print(f"cpbench: error: {error}", file=sys.stderr)
        return 2
    print(given["output"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
