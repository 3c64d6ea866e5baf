"""FlashCP Fig. 3: kernel time of shardings over that of all-gather sharding.

It is the slowest rank's time inside kernels, for one document of 128K and for sixteen of 8K. The
paper gives neither ranks nor direction, so every combination has the same published values.
"""

import style
from claims import Claim, yes
from paired_bars import bar_legend, draw_groups
from published import Row, read_published, read_runs

TITLE = "FlashCP Fig. 3: kernel time over all-gather sharding"
INPUTS = {"fixed:tokens=128K": "1x128K", "fixed:tokens=8K": "16x8K"}
STRATEGIES = ("allgather", "per_doc", "zigzag")


def compare(folder):
    published = {
        (row["input"], row["strategy"]): float(row["normalised_latency"])
        for row in read_published("flashcp_fig3_kernel")
    }
    runs = {
        (int(r["ranks"]), r["direction"], INPUTS[r["workload"]], r["strategy"]): r
        for r in read_runs(folder / "fig3.csv")
    }
    rows = []
    for (ranks, direction, document, strategy), run in runs.items():
        base = runs[ranks, direction, document, "allgather"]["attention_seconds"]
        group = (document, f"{ranks} ranks", direction)
        rows.append(
            Row("ideal", group, strategy, published[document, strategy],
                run["attention_seconds"] / base)
        )  # fmt: skip
    return rows


def draw(rows, notes):
    fig, axes = style.figure("full", 2.2)
    groups = list(dict.fromkeys(row.group for row in rows))
    draw_groups(axes, groups, STRATEGIES, rows)
    axes.set_xticks(range(len(groups)), ["\n".join(group) for group in groups])
    axes.set_ylabel("kernel time / allgather's")
    style.footer(fig, ["H100 node", "128K tokens, 32 heads", *notes])
    bar_legend(fig, STRATEGIES)
    return fig


def claims(rows):
    """A published value holds within 10% of what the combinations span."""
    spans = {}
    for row in rows:
        if row.strategy != "allgather":
            key = (row.strategy, row.group[0], row.published)
            spans.setdefault(key, []).append(row.ours)
    return [
        Claim("fig3", f"kernel time of {strategy} over all-gather's, {document}", f"{paper:.2f}",
              f"{min(ours):.2f} to {max(ours):.2f}",
              yes(0.9 * min(ours) <= paper <= 1.1 * max(ours)))
        for (strategy, document, paper), ours in spans.items()
    ]  # fmt: skip
