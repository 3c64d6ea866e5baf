"""Which strategy wins where: one square per problem, of what `cpbench show RUNS --winners` prints.

    plots/atlas.py results/atlas/winners.csv results/atlas

A panel is a cluster and a number of tokens per rank; across: ranks; up: document lengths, with the
window where there is one. Colour and hatch are the winner's, pale where others are tied with it,
because their times differ by less than the error of simulated times. The number is how much longer
the best strategy that is not tied takes. Writes atlas.pdf and atlas.png into the folder.
"""

import csv
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import results
import style

PALE = 0.35
ROW = 0.2  # inches


TREES = re.compile(r"tree:prompt=(\w+),completions=(\d+),length=(\w+)")


def place(row):
    """The lengths in words: "pile", "pile, window 1K", "trees of 2K + 8 x 256"."""
    trees = TREES.match(row["workload"])
    words = "trees of {} + {} x {}".format(*trees.groups()) if trees else row["workload"]
    return words + (f", window {row['window']}" if row["window"] else "")


def count(text):
    return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]] if text[-1] in "KM" else int(text)


def read(path):
    """The rows of the table, with what a panel and a square need."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise results.NothingToDraw(f"{path}: there are no winners")
    for row in rows:
        row["place"] = place(row)
        share = count(row["tokens"]) // int(row["ranks"])
        row["panel"] = (row["cluster"], share)
        row["strategy"] = row["winner"].split(":")[0]
        row["tied"] = row["tied with"].split()
    return rows


def square(axes, x, y, row):
    look = style.bar(row["strategy"]) | {"alpha": PALE if row["tied"] else 1}
    axes.add_patch(style.plt.Rectangle((x - 0.5, y - 0.5), 1, 1, **look))
    ahead = float(row["next_over_winner"] or 0)
    if ahead:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(x, y, f"{ahead:.1f}", ha="center", va="center", color="black", bbox=box)


def draw_panel(axes, rows, places):
    ranks = sorted({int(row["ranks"]) for row in rows})
    for row in rows:
        square(axes, ranks.index(int(row["ranks"])), places.index(row["place"]), row)
    axes.set_xlim(-0.5, len(ranks) - 0.5)
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.set_xticks(range(len(ranks)), [str(r) for r in ranks])
    axes.set_yticks(range(len(places)), places)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("ranks")


def draw(rows):
    panels = sorted({row["panel"] for row in rows})
    places = sorted({row["place"] for row in rows})
    fig, all_axes, columns = style.panels(len(panels), 4, 0.5 + ROW * len(places), width="full")
    for number, (axes, panel) in enumerate(zip(all_axes, panels, strict=True)):
        draw_panel(axes, [row for row in rows if row["panel"] == panel], places)
        cluster, share = panel
        style.title(axes, [cluster, f"{results.size_text(share)} tokens per rank"], 1.5)
        if number % columns:
            axes.set_yticklabels([])
    shown = sorted({row["strategy"] for row in rows}, key=style.order)
    style.legend(fig, [style.swatch(**style.bar(s)) for s in shown], shown)
    notes = [
        "simulated",
        f"shape {rows[0]['shape']}",
        "pale: others are tied with the winner",
        "empty: not simulated",
    ]
    style.footer(fig, [*notes, "number: time of the best that is not tied / time of the winner"])
    return fig


def main(words):
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        rows = read(words[0])
    except (results.ResultError, OSError) as error:
        print(f"atlas: {error}", file=sys.stderr)
        return 1
    ids = [SimpleNamespace(run_id=f"{row['winner']}-{row['place']}") for row in rows[:1]]
    for path in style.save(draw(rows), "atlas", Path(words[1]), ids):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
