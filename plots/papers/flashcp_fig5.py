"""FlashCP Fig. 5: speed-up over all-gather by data, direction, ranks and heads.

Speed-up is the ratio of the sums over packs; whiskers are the extremes of single packs. The paper's
"Ring" is taken to be the ring that cuts each document, which fits its numbers better than the ring
over the whole pack; the latter is listed too. A mix of length sets stands in for RedPajama, which
is not among them. The bars were read off the figure with an error of 0.01, so pairs that differ by
no more than twice that have no order.
"""

import style
from error_tables import order_text, summary
from paired_bars import bar_legend, draw_groups
from published import FIRST, Row, read_published, read_runs, size, speedups, variants

TITLE = "FlashCP Fig. 5: speed-up over all-gather"
DATA = {"wlb_llm": "wlb", "pile": "pile"}
MIX = "redpajama"  # any other workload
TIE = 0.02
RING = "ring (per_document=true)"
STRATEGIES = ("allgather", RING, "zigzag", "per_doc", "flashcp")
PUBLISHED_NAME = {RING: "ring"}  # where the paper's name differs
DIRECTIONS = {"forward": "forward", "both": "training"}


def group_of(run):
    heads = run["shape"].removeprefix("flashcp_h")
    return (DATA.get(run["workload"], MIX), DIRECTIONS[run["direction"]],
            f"{run['ranks']:.0f} ranks", f"{heads} heads")  # fmt: skip


def compare(folder):
    published = {}
    for row in read_published("flashcp_fig5_speedup"):
        group = (row["dataset"], row["direction"], f"{row['ranks']} ranks", f"{row['heads']} heads")
        published[group, row["strategy"]] = float(row["speedup_over_allgather"])
        published[group, "allgather"] = 1.0
    rows = []
    for variant, runs in variants(read_runs(folder / "fig5.csv")):
        for (group, name), (whole, low, high) in speedups(runs, group_of).items():
            # The ring over the whole pack is listed without a published value, so not counted.
            theirs = None if name == "ring" else published[group, PUBLISHED_NAME.get(name, name)]
            rows.append(Row(variant, group, name, theirs, whole, low, high))
    return rows


def part(row):
    """Errors are listed by length set."""
    return row.group[0]


def closing(rows):
    """The errors, and the order of the strategies without zigzag too, whose implementation in the
    paper does more than its plan needs."""
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
        draw_groups(axes, groups, STRATEGIES, mine)
        axes.set_xticks(range(len(groups)), ["\n".join(g[1:]) for g in groups])
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_title(f"{data}, profile {variant}", loc="left")
        axes.set_ylabel("speed / allgather")
    style.footer(fig, ["H100 node", "128K tokens", "whiskers: extremes of packs", *notes])
    bar_legend(fig, STRATEGIES)
    return fig
