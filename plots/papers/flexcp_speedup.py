"""Flexible CP: speed-up of flexible degrees over static setups, by workload.

The static setup of a workload is the degree that is fastest over all its micro-batches: of
Megatron's (rings) and DeepSpeed's (Ulysses) the better one. Other methods that vary degrees stand
next to it. The paper's data are lengths of videos, which are not public, so no bar has a published
value: the band is the published range. For the stream of the authors' test scripts, the static
setup also has the padding of those scripts.
"""

import numpy as np

import style
from claims import Claim, closeness, yes
from flexcp import DEEPSPEED, FLEXIBLE, MEGATRON, OTHERS, OURS, arms, short
from published import Row, read_published, read_runs

TITLE = "Flexible CP: speed-up over static degrees"
AVERAGE, EXTREME = 1.46, 2.24  # arXiv 2602.21788v2: on average, and at most
SCRIPTS = "burst_scripts"
ARMS = (FLEXIBLE, OURS, *OTHERS)
BEST = "best static"
SHORT = "lognormal:mean=2K"


def compare(folder):
    by_workload = {}
    for run in read_runs(folder / "speedup.csv"):
        by_workload.setdefault(run["workload"], []).append(run)
    found = {workload: arms(runs) for workload, runs in by_workload.items()}
    rows = []
    for workload, of in found.items():
        static = {name: of[name] for name in (MEGATRON, DEEPSPEED) if name in of}
        if FLEXIBLE not in of or not static:
            continue
        best = min(static, key=lambda name: static[name][0])
        for base, name in ((BEST, best), *((name, name) for name in static)):
            seconds, degree = static[name]
            group = (workload, base, f"{name} {degree}")
            for arm in ARMS if base == BEST else ARMS[:2]:
                if arm in of:
                    rows.append(Row("ideal", group, arm, None, seconds / of[arm][0]))
    # The padding changes what the static setup computes, not what flexible degrees compute.
    for workload, of in found.items():
        if "pad=" not in workload or SCRIPTS not in found:
            continue
        padding = workload.partition("padding=")[2]
        for name, (seconds, degree) in of.items():
            group = (SCRIPTS, f"static, padded by documents of {padding}", f"{name} {degree}")
            for arm in ARMS[:2]:
                rows.append(Row("ideal", group, arm, None, seconds / found[SCRIPTS][arm][0]))
    return rows


def published_range():
    values = [float(r["speedup_over_best_static"]) for r in read_published("flexcp_speedup")]
    return min(values), max(values)


def over(base, rows, arm):
    """{workload: speed-up of the arm over the base}"""
    return {row.group[0]: row.ours for row in rows if row.strategy == arm and row.group[1] == base}


def closing(rows):
    low, high = published_range()
    lines = []
    for arm in ARMS:
        ours = list(over(BEST, rows, arm).values())
        if ours:
            lines.append(f"`{arm}` {min(ours):.2f} to {max(ours):.2f}, mean {np.mean(ours):.2f}")
    return (f"Over the best static setup: {'; '.join(lines)}. Published {low} to {high} (v1, end "
            f"to end), {AVERAGE} on average and up to {EXTREME} (v2).")  # fmt: skip


def claims(rows):
    found = []
    for arm in (FLEXIBLE, OURS):
        for base in (BEST, MEGATRON):
            ours = list(over(base, rows, arm).values())
            words = f"{arm}, {len(ours)} length sets, over {base}"
            mean = float(np.mean(ours))
            found.append(Claim("abstract", f"average speed-up ({words})", f"{AVERAGE:.2f}",
                               f"{mean:.2f}", closeness(AVERAGE, mean)))  # fmt: skip
        ours = list(over(BEST, rows, arm).values())
        words = f"{arm}, {len(ours)} length sets, over {BEST}"
        found.append(
            Claim("speedup", f"above 1.2 ({words})", "14 of 18 settings (v1)",
                  f"{sum(value > 1.2 for value in ours)} of {len(ours)}",
                  yes(np.mean([value > 1.2 for value in ours]) >= 14 / 18))
        )  # fmt: skip
        rings = over(MEGATRON, rows, arm)
        even = next((value for name, value in rings.items() if name.startswith(SHORT)), None)
        if even is not None:
            words = f"no slower than static rings on short, even lengths ({arm})"
            found.append(Claim("speedup", words, "-", f"{even:.2f}", yes(even >= 1)))
        for row in rows:
            if row.strategy == arm and row.group[1].startswith("static, padded"):
                words = f"{arm}, after the authors' test scripts, {row.group[2]} {row.group[1][8:]}"
                found.append(Claim("abstract", f"extremely unbalanced batches ({words})",
                                   f"up to {EXTREME}", f"{row.ours:.2f}",
                                   closeness(EXTREME, row.ours)))  # fmt: skip
    return found


def draw(rows, notes):
    fig, axes = style.figure("full", 2.8)
    low, high = published_range()
    axes.axhspan(low, high, color="#dddddd", label="published, v1")
    axes.axhline(EXTREME, color="black", linewidth=0.6, linestyle="--", label="published, v2: most")
    shown = [row for row in rows if row.group[1] == BEST]
    groups = list(dict.fromkeys(row.group for row in shown))
    width = 0.84 / len(ARMS)
    for i, arm in enumerate(ARMS):
        look = {**style.bar(arm.split(",")[0]), **({"hatch": "///"} if arm == OURS else {})}
        for row in (row for row in shown if row.strategy == arm):
            x = groups.index(row.group) + (i - (len(ARMS) - 1) / 2) * width
            axes.bar(x, row.ours, width, **look)
        axes.bar(0, 0, width, **look, label=arm)
    axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
    room = style.characters(0.85 * style.WIDTHS["full"] / max(1, len(groups)))
    labels = [[*style.broken(short(g[0]), room), *style.broken(g[2], room)] for g in groups]
    axes.set_xticks(range(len(groups)), ["\n".join(label) for label in labels])
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("speed / best static setup")
    style.footer(fig, ["last line: the best static setup", "64 Ascend 910B, 100 Gb/s between nodes",
                       "4 micro-batches of at most 512K tokens", "a layer of an 8B model",
                       *notes])  # fmt: skip
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig
