"""What the figures of FCP share: MFU of each pass, the compared systems, lengths in words.

mfu(read_runs(folder / "fig11.csv"))   # {Point("magi_pretrain", 64, 32, "forward", "fcp"): [45.1]}
"""

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import style
from claims import Claim, yes
from published import Row, size

IMPROVED = "fcp (dedup=true,local_search=true)"
STAYING = "fcp (reshuffle=false)"  # tokens stay where their units are
ORACLE = "wlb_oracle"
SYSTEMS = ("fcp", "zigzag", "bytescale", ORACLE, "magi")
BASELINES = SYSTEMS[1:]
WHISKERS = "whiskers: extremes of two packs"
ALIKE = 10  # points of MFU, or percent, within which we call values alike


class Point(NamedTuple):
    lengths: str
    ranks: int
    kilotokens: int  # per rank
    direction: str  # "forward", "backward", or "both" where only both passes together were run
    label: str


def short(workload):
    """The workload's name without the bounds of a distribution."""
    name = workload.split(":")[0]
    return "equal lengths" if name == "fixed" else name


def by_pack(runs, kernels_only=False):
    """{(lengths, ranks, kilotokens, label): {(seed, direction): (FLOPs, FLOPs at the peak)}}.

    The peak is over the whole time, or over the time that ranks are in kernels.
    """
    found = defaultdict(dict)
    for run in runs:
        ranks = int(run["ranks"])
        key = (short(run["workload"]), ranks, round(size(run["tokens"]) / ranks / 1024),
               run["label"])  # fmt: skip
        flops = run["attention_flops"]
        share = run["attention_share"] if kernels_only else 1
        found[key][run["seed"], run["direction"]] = (flops, flops / run["mfu"] * share)
    return found


def with_oracle(found):
    """Adds the better of zigzag and bytescale for each pack and direction."""
    added = dict(found)
    for (*at, label), rings in found.items():
        groups = found.get((*at, "bytescale"), {})
        if label == "zigzag" and groups:
            added[(*at, ORACLE)] = {
                key: min(rings[key], groups[key], key=lambda work: work[1])
                for key in rings.keys() & groups.keys()
            }
    return added


def mfu(runs, kernels_only=False):
    """{Point: percent of the peak, of each seed}.

    The backward pass is the difference between both passes together and the forward pass.
    """
    values = defaultdict(list)
    for (*at, label), works in with_oracle(by_pack(runs, kernels_only)).items():
        for (seed, direction), (flops, peak) in sorted(works.items()):
            forward = works.get((seed, "forward"))
            if direction == "both" and forward:
                direction, flops, peak = "backward", flops - forward[0], peak - forward[1]
            values[Point(*at, direction, label)].append(100 * flops / peak)
    return values


def group_of(point):
    return f"{point.ranks} ranks, {point.kilotokens}K tokens each"


def rows_of(runs, labels=SYSTEMS):
    return [
        Row(f"{p.lengths}, {p.direction}", (group_of(p),), p.label, None, float(np.mean(v)),
            min(v), max(v), "%")
        for p, v in sorted(mfu(runs).items()) if p.label in labels
    ]  # fmt: skip


def place(row, word):
    """The number before `word` in a row's group: 64 for "ranks", 32 for "tokens"."""
    words = row.group[0].replace(",", "").split()
    return int(words[words.index(word) - 1].rstrip("K"))


def whiskers(rows):
    """The extremes over packs, as Matplotlib wants them."""
    return [[row.ours - row.low for row in rows], [row.high - row.ours for row in rows]]


def draw_lines(rows, notes, word, label, about, columns=2):
    """One panel per variant: MFU of each system by the number before `word`."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    # What holds for all panels takes about an inch below them.
    height = 1.7 + 1.0 / -(-len(variants) // columns)
    fig, panels, _ = style.panels(len(variants), columns, height, "full", sharey=True)
    ticks = sorted({place(row, word) for row in rows})
    for axes, variant in zip(panels, variants, strict=True):
        mine = [row for row in rows if row.variant == variant]
        for system in dict.fromkeys(row.strategy for row in rows):
            points = sorted((place(row, word), row) for row in mine if row.strategy == system)
            axes.errorbar(
                [x for x, _ in points], [row.ours for _, row in points],
                yerr=whiskers([row for _, row in points]), capsize=2, elinewidth=0.5, label=system,
                **style.line(system),
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [str(x) for x in ticks])
        axes.tick_params(axis="x", which="minor", length=0)
        axes.set_xlim(ticks[0] / 1.15, ticks[-1] * 1.15)
        axes.set_title(variant, loc="left")
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel("MFU, %")
    panels[-1].set_xlabel(label)
    style.footer(fig, [*about, *notes])
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig


def ratios(rows, label="fcp"):
    """[(row of a baseline, the value of fcp over it)]."""
    ours = {(row.variant, row.group): row.ours for row in rows if row.strategy == label}
    return [
        (row, ours[row.variant, row.group] / row.ours)
        for row in rows if row.strategy in BASELINES and (row.variant, row.group) in ours
    ]  # fmt: skip


def least_ratios(rows, label):
    """{(variant, group): (the least value of fcp over a baseline, that baseline)}."""
    least = {}
    for row, ratio in ratios(rows, label):
        at = (row.variant, row.group)
        least[at] = min(least.get(at, (np.inf, "")), (ratio, row.strategy))
    return least


def won(least):
    return f"{sum(ratio >= 1 for ratio, _ in least.values())} of {len(least)} points"


def best_everywhere(figure, rows, words="best everywhere"):
    """The claim that fcp is the best of all systems, with the points where it is not."""
    least = least_ratios(rows, "fcp")
    lost = {at: worst for at, worst in least.items() if worst[0] < 1}
    ours = f"best in {won(least)}"
    staying = least_ratios(rows, STAYING)
    if staying:
        ours += f", without the reshuffle in {won(staying)}"
    if lost:
        (variant, group), (ratio, name) = min(lost.items(), key=lambda item: item[1])
        ours += f"; least {ratio:.2f}x of {name} ({variant}, {group[0]})"
    return Claim(figure, words, "yes", ours, yes(not lost))


def relabelled(rows, names):
    return [replace(row, strategy=names.get(row.strategy, row.strategy)) for row in rows]
