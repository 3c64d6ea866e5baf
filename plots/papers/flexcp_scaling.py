"""Flexible CP: throughput per device on 8 to 64 of them, relative to 8.

v1's values are of a whole model, ours of one layer, so both are relative to 8 devices. Of static
setups the degree is the fastest one at each number of devices.
"""

import style
from claims import Claim
from flexcp import DEEPSPEED, FLEXIBLE, MEGATRON, OURS, arms
from published import Row, read_published, read_runs

TITLE = "Flexible CP: throughput per device"
ARMS = (FLEXIBLE, OURS, DEEPSPEED, MEGATRON)
PAPER = {"flexcp": FLEXIBLE, "deepspeed_static": DEEPSPEED, "megatron_static": MEGATRON}
LOOK = {FLEXIBLE: "flexcp", OURS: "flexcp", DEEPSPEED: "deepspeed_static", MEGATRON: "ring"}


def published():
    """{(arm, devices): throughput relative to 8 devices}"""
    rates = {
        (PAPER[row["strategy"]], int(row["devices"])): float(row["tokens_per_second"])
        for row in read_published("flexcp_scaling")
    }
    return {(arm, devices): rate / rates[arm, 8] for (arm, devices), rate in rates.items()}


def compare(folder):
    by = {}
    for run in read_runs(folder / "scaling.csv"):
        by.setdefault((run["workload"], int(run["ranks"])), []).append(run)
    # All arms of a setting have the same tokens, so the least time is the highest rate.
    rates = {}
    for (workload, ranks), runs in by.items():
        seconds = {run["iteration_seconds"]: run["throughput"] / ranks for run in runs}
        for arm, (least, _) in arms(runs).items():
            rates[workload, arm, ranks] = seconds[least]
    paper = published()
    return [
        Row(workload, (f"{ranks} ranks",), arm, paper.get((arm, ranks)),
            rate / rates[workload, arm, 8])
        for (workload, arm, ranks), rate in sorted(rates.items())
        if arm in ARMS and (workload, arm, 8) in rates
    ]  # fmt: skip


def ranks_of(row):
    return int(row.group[0].split()[0])


def claims(rows):
    found = []
    for row in rows:
        if row.published is None or ranks_of(row) != 64:
            continue
        same = (row.published > 1) == (row.ours > 1)
        holds = "yes" if same and abs(row.error) <= 0.1 else "partly" if same else "no"
        words = f"throughput per device at 64 over 8, {row.strategy} ({row.variant})"
        found.append(Claim("scaling", words, f"{row.published:.2f}", f"{row.ours:.2f}", holds))
    return found


def draw(rows, notes):
    workloads = list(dict.fromkeys(row.variant for row in rows))
    fig, panels = style.figure("full", 2.3, columns=len(workloads), sharey=True, squeeze=False)
    for axes, workload in zip(panels[0], workloads, strict=True):
        for arm in ARMS:
            mine = sorted(
                (r for r in rows if r.variant == workload and r.strategy == arm), key=ranks_of
            )
            dashes = "--" if arm == OURS else "-"
            axes.plot([ranks_of(r) for r in mine], [r.ours for r in mine], dashes,
                      **style.line(LOOK[arm]), label=arm)  # fmt: skip
            for row in mine:
                if row.published is not None:
                    look = {"markerfacecolor": "white", "markersize": 7}
                    axes.plot(ranks_of(row), row.published, **{**style.line(LOOK[arm]), **look})
        axes.set_xscale("log", base=2)
        axes.set_xticks((8, 16, 32, 64), ("8", "16", "32", "64"))
        axes.set_xlabel("ranks")
        axes.set_title(workload, loc="left")
    panels[0][0].set_ylabel("throughput per rank / at 8 ranks")
    style.footer(fig, ["published: large, unfilled", "Ascend 910B, 100 Gb/s between nodes",
                       "8K tokens per rank", *notes])  # fmt: skip
    style.legend(fig, *panels[0][0].get_legend_handles_labels())
    return fig
