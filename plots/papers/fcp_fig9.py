"""FCP Fig. 9: imbalance of compute and of communication by ranks, (max - mean) / max.

Communication is bytes received, without the reshuffle; "with reshuffle" counts it. Means and
extremes over three seeds.
"""

import numpy as np

import fcp
import style
from claims import Claim, yes
from paired_bars import bar_legend, draw_groups
from published import Row, read_published, read_runs

TITLE = "FCP Fig. 9: imbalance of compute and communication"
METRICS = {"compute": "compute_imbalance", "communication": "bytes_in_imbalance"}
STRATEGIES = ("fcp", "magi", "bytescale", "zigzag")
DRAWN = "magi_pretrain"


def kind(run):
    lengths = fcp.short(run["workload"])
    return f"{lengths}, with reshuffle" if run["label"] == "fcp" else lengths


def compare(folder):
    published = {
        (row["quantity"], row["strategy"], int(row["ranks"])): float(row["imbalance_percent"])
        for row in read_published("fcp_fig9_imbalance")
    }
    found = {}
    for run in read_runs(folder / "fig9.csv"):
        for quantity, metric in METRICS.items():
            share = 100 * (1 - 1 / run[metric]) if run[metric] else 0.0
            key = (kind(run), quantity, int(run["ranks"]), run["strategy"])
            found.setdefault(key, []).append(share)
    return [
        Row(variant, (quantity, f"{ranks} ranks"), strategy, published[quantity, strategy, ranks],
            float(np.mean(values)), min(values), max(values), "%")
        for (variant, quantity, ranks, strategy), values in sorted(found.items())
    ]  # fmt: skip


def draw(rows, notes):
    rows = [row for row in rows if row.variant == DRAWN]
    fig, panels = style.figure("full", 3.4, rows=2)
    for axes, quantity in zip(panels, METRICS, strict=True):
        groups = list(dict.fromkeys(row.group for row in rows if row.group[0] == quantity))
        draw_groups(axes, groups, STRATEGIES, rows)
        axes.set_xticks(range(len(groups)), [group[1] for group in groups])
        axes.set_ylabel(f"{quantity}\nimbalance, %")
    style.footer(fig, ["plans, exact", "32K tokens per rank", DRAWN, "without reshuffle",
                       "whiskers: extremes of three seeds", *notes])  # fmt: skip
    bar_legend(fig, STRATEGIES, "planned")
    return fig


def claims(rows):
    mine = {}
    for row in rows:
        if row.variant == DRAWN:
            mine.setdefault((row.group[0], row.strategy), []).append(row)
    found = []
    for (quantity, strategy), members in sorted(mine.items()):
        if strategy == "zigzag":
            continue
        ours, paper = [row.ours for row in members], [row.published for row in members]
        error = float(np.mean([abs(row.error) for row in members]))
        found.append(
            Claim("fig9", f"{quantity} imbalance of {strategy}",
                  f"{min(paper):.1f} to {max(paper):.1f}%", f"{min(ours):.1f} to {max(ours):.1f}%",
                  yes(error <= 5))
        )  # fmt: skip
    return found
