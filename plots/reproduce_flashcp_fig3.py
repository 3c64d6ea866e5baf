"""FlashCP Fig. 3: kernel time of shardings over that of all-gather sharding's pieces.

Time inside kernels of the slowest rank. One document of 128K, and sixteen of 8K. The paper says
neither ranks nor direction; published values stand beside 8 ranks, forward.
"""

import style
from reproduced import Row, bar_legend, draw_groups, read_cells, read_published

TITLE = "FlashCP Fig. 3: kernel time over all-gather sharding"
INPUTS = {"fixed:tokens=128K": "1x128K", "fixed:tokens=8K": "16x8K"}
STRATEGIES = ("allgather", "per_doc", "zigzag")


def compare(folder):
    published = {
        (row["input"], row["strategy"]): float(row["normalised_latency"])
        for row in read_published("flashcp_fig3_kernel")
    }
    cells = {
        (int(c["ranks"]), c["direction"], INPUTS[c["workload"]], c["strategy"]): c
        for c in read_cells(folder / "fig3.csv")
    }
    rows = []
    for (ranks, direction, document, strategy), cell in cells.items():
        base = cells[ranks, direction, document, "allgather"]["attention_seconds"]
        group = (document, f"{ranks} ranks", direction)
        rows.append(
            Row("ideal", group, strategy, published[document, strategy],
                cell["attention_seconds"] / base)
        )  # fmt: skip
    return rows


def draw(rows, notes):
    fig, axes = style.figure("full", 2.2)
    groups = list(dict.fromkeys(row.group for row in rows))
    draw_groups(axes, groups, STRATEGIES, {(row.group, row.strategy): row for row in rows})
    axes.set_xticks(range(len(groups)), ["\n".join(group) for group in groups])
    axes.set_ylabel("kernel time / allgather's")
    style.footer(fig, ["H100 node", "128K tokens, 32 heads", *notes])
    bar_legend(fig, STRATEGIES)
    return fig
