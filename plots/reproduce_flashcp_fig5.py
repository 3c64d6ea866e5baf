"""FlashCP Fig. 5: speed-up over all-gather by data, direction, ranks and heads.

Speed-up is the ratio of the sums over packs; whiskers are the extremes of single packs. The
paper's "Ring" is taken as the ring that cuts each document, which fits its numbers better than the
ring over the whole pack; that one is listed as well. A mix of length sets stands for RedPajama,
which is not among them. The bars were read off within 0.01: pairs that differ by no more than twice
that have no order.
"""

import style
from reproduced import (
    FIRST,
    Row,
    bar_legend,
    draw_groups,
    order_text,
    read_cells,
    read_published,
    size,
    speedups,
    summary,
    variants,
)

TITLE = "FlashCP Fig. 5: speed-up over all-gather"
DATA = {"wlb_llm": "wlb", "pile": "pile"}
MIX = "redpajama"  # all else
TIE = 0.02
RING = "ring (per_document=true)"
STRATEGIES = ("allgather", RING, "zigzag", "per_doc", "flashcp")
PUBLISHED_NAME = {RING: "ring"}  # of those that the paper calls otherwise
DIRECTIONS = {"forward": "forward", "both": "training"}


def group_of(cell):
    heads = cell["shape"].removeprefix("flashcp_h")
    return (DATA.get(cell["workload"], MIX), DIRECTIONS[cell["direction"]],
            f"{cell['ranks']:.0f} ranks", f"{heads} heads")  # fmt: skip


def compare(folder):
    published = {}
    for row in read_published("flashcp_fig5_speedup"):
        group = (row["dataset"], row["direction"], f"{row['ranks']} ranks", f"{row['heads']} heads")
        published[group, row["strategy"]] = float(row["speedup_over_allgather"])
        published[group, "allgather"] = 1.0
    rows = []
    for variant, cells in variants(read_cells(folder / "fig5.csv")):
        for (group, name), (whole, low, high) in speedups(cells, group_of).items():
            # "ring" is what the paper calls it, but not what it seems to be: listed, not counted.
            theirs = None if name == "ring" else published[group, PUBLISHED_NAME.get(name, name)]
            rows.append(Row(variant, group, name, theirs, whole, low, high))
    return rows


def part(row):
    """Errors are given for each set of lengths."""
    return row.group[0]


def closing(rows):
    """With the order of the others beside that with zigzag, whose published times are not its."""
    others = [row for row in rows if row.strategy != "zigzag"]
    return summary(rows, part, TIE) + "\n\nWithout zigzag:" + order_text(others, TIE)


def draw(rows, notes):
    shown = [k for k in dict.fromkeys(row.variant for row in rows) if FIRST not in k]
    sets = ("wlb", "pile")
    fig, panels = style.figure(
        "full", 1.7 * len(shown) * len(sets), rows=len(shown) * len(sets), squeeze=False
    )
    for axes, (variant, data) in zip(
        panels[:, 0], [(v, d) for d in sets for v in shown], strict=True
    ):
        mine = [r for r in rows if r.variant == variant and r.group[0] == data]
        groups = list(dict.fromkeys(row.group for row in mine))
        groups.sort(key=lambda g: (g[1], size(g[2].split()[0] + "K"), g[3]))
        draw_groups(axes, groups, STRATEGIES, {(r.group, r.strategy): r for r in mine})
        axes.set_xticks(range(len(groups)), ["\n".join(g[1:]) for g in groups])
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_title(f"{data}, profile {variant}", loc="left")
        axes.set_ylabel("speed / allgather")
    style.footer(fig, ["H100 node", "128K tokens", "whiskers: extremes of packs", *notes])
    bar_legend(fig, STRATEGIES)
    return fig
