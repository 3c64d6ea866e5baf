"""FCP Fig. 9: imbalance of compute and of communication by ranks, (max - mean) / max.

"As the paper" is fcp without local search, which sends a whole unit for every pair of units, and
without the reshuffle; "with reshuffle" counts it; "as here" is cpbench's default. Communication is
bytes received. Means and extremes over five seeds.
"""

import numpy as np

import style
from paired_bars import bar_legend, draw_groups
from published import Row, read_published, read_runs

TITLE = "FCP Fig. 9: imbalance of compute and communication"
KINDS = {
    "fcp": "as here",
    "fcp (dedup=false,local_search=false,reshuffle=false)": "as the paper",
    "fcp (dedup=false,local_search=false)": "with reshuffle",
}
METRICS = {"compute": "compute_imbalance", "communication": "bytes_in_imbalance"}
STRATEGIES = ("fcp", "magi", "bytescale", "zigzag")


def compare(folder):
    published = {
        (row["quantity"], row["strategy"], int(row["ranks"])): float(row["imbalance_percent"])
        for row in read_published("fcp_fig9_imbalance")
    }
    found = {}
    for run in read_runs(folder / "fig9.csv"):
        kind = KINDS[run["label"]] if run["strategy"] == "fcp" else "as the paper"
        for quantity, metric in METRICS.items():
            share = 100 * (1 - 1 / run[metric]) if run[metric] else 0.0
            key = (kind, quantity, int(run["ranks"]), run["strategy"])
            found.setdefault(key, []).append(share)
    return [
        Row(kind, (quantity, f"{ranks} ranks"), strategy, published[quantity, strategy, ranks],
            float(np.mean(values)), min(values), max(values), "%")
        for (kind, quantity, ranks, strategy), values in sorted(found.items())
    ]  # fmt: skip


def draw(rows, notes):
    rows = [row for row in rows if row.variant == "as the paper"]
    fig, panels = style.figure("full", 3.4, rows=2)
    for axes, quantity in zip(panels, METRICS, strict=True):
        groups = list(dict.fromkeys(row.group for row in rows if row.group[0] == quantity))
        draw_groups(axes, groups, STRATEGIES, rows)
        axes.set_xticks(range(len(groups)), [group[1] for group in groups])
        axes.set_ylabel(f"{quantity}\nimbalance, %")
    style.footer(fig, ["plans, exact", "32K tokens per rank", "lognormal, mean 16K, sigma 2",
                       "fcp without local search, deduplication and reshuffle",
                       "whiskers: extremes of five seeds", *notes])  # fmt: skip
    bar_legend(fig, STRATEGIES, "planned")
    return fig
