"""Published rates of whole runs next to simulated ones, and the errors by kind of run.

rows = [Rate("ideal", ("one document", "forward"), "zigzag", 421, 546, unit="TFLOP/s")]
rows[0].error      # -0.23: the simulated time is 23% too short
print(closing(rows))
"""

from dataclasses import dataclass

import numpy as np

import style
from claims import Claim, yes
from error_tables import markdown, number, spread
from paired_bars import bar_legend, draw_groups
from published import Row

ALONE = "one GPU"  # not a strategy, but what they are compared with
# What moves in a strategy decides which of its times a model must get right.
FAMILIES = {
    "kernel": (ALONE,),  # without communication
    "ring": ("ring", "zigzag", "striped", "megatron_hybrid", "bytescale"),
    "all-gather": ("allgather", "per_doc", "wlb"),
    "all-to-all": ("ulysses", "usp", "loongtrain", "flexsp"),
    "group-cast": ("magi",),
}
TIE = 0.02  # published rates that differ by no more than this have no order


@dataclass(frozen=True)
class Rate(Row):
    """A rate, whose error is that of the time: negative if the simulated run is too fast."""

    @property
    def error(self):
        return self.published / self.ours - 1


def variants_of(profiles):
    """[(variant, {strategy: profile})] of the profiles that each strategy was run with.

    `ideal` has that profile for all. `implementation` has the other one, where there is one.
    """
    own = {name: next((p for p in sorted(found) if p != "ideal"), "ideal")
           for name, found in profiles.items()}  # fmt: skip
    return [("ideal", dict.fromkeys(profiles, "ideal")), ("implementation", own)]


def family_of(strategy):
    name = style.strategy_of(strategy)
    return next(family for family, strategies in FAMILIES.items() if name in strategies)


def table(rows):
    heads = ("profile", "run", "strategy", "published", "simulated", "error of the time",
             "over packs")  # fmt: skip
    return markdown(
        heads,
        [(row.variant, ", ".join(row.group), row.strategy,
          f"{number(row.published)} {row.unit}", f"{number(row.ours)} {row.unit}",
          f"{row.error:+.0%}", spread(row)) for row in rows]
    )  # fmt: skip


def notes(parts):
    """Without the errors of whole runs, which these tables are the source of."""
    return [part for part in parts if not part.startswith(("whole runs", "no published run"))]


def tau(rows):
    """(Kendall's tau over pairs of a group with an order, their number); ties of ours count 0."""
    signs = [
        np.sign(a.published - b.published) * np.sign(a.ours - b.ours)
        for i, a in enumerate(rows)
        for b in rows[:i]
        if (a.variant, a.group) == (b.variant, b.group)
        and max(a.published, b.published) > (1 + TIE) * min(a.published, b.published)
    ]
    return (float(np.mean(signs)) if signs else None), len(signs)


def line_of(words, rows):
    errors = [row.error for row in rows]
    worst = max(rows, key=lambda row: abs(row.error))
    return (*words, len(rows), f"{np.mean(np.abs(errors)):.0%}", f"{np.mean(errors):+.0%}",
            f"{worst.error:+.0%} ({worst.strategy})")  # fmt: skip


def closing(rows):
    """The errors by family, kind of documents and direction, of all runs, and their order."""
    heads = ("profile", "family", "run", "rows", "mean error", "bias", "worst")
    lines = []
    for variant in dict.fromkeys(row.variant for row in rows):
        mine = [row for row in rows if row.variant == variant]
        for name in FAMILIES:
            for group in dict.fromkeys(row.group for row in mine):
                found = [
                    row for row in mine if family_of(row.strategy) == name and row.group == group
                ]
                if found:
                    lines.append(line_of((variant, name, ", ".join(group)), found))
        lines.append(line_of((variant, "all", ""), mine))
    text = markdown(heads, lines)
    for variant in dict.fromkeys(row.variant for row in rows):
        agreement, pairs = tau([row for row in rows if row.variant == variant])
        if pairs:
            text += (f"\n\nOrder of strategies, {variant}: Kendall's tau {agreement:.2f} "
                     f"over {pairs} pairs that are more than {TIE:.0%} apart.")  # fmt: skip
    return text


def claims(figure, rows):
    """Of each kind of run: which strategy is the fastest."""
    found = []
    for variant in dict.fromkeys(row.variant for row in rows):
        for group in dict.fromkeys(row.group for row in rows):
            mine = [
                row for row in rows if (row.variant, row.group) == (variant, group)
                and row.strategy != ALONE
            ]  # fmt: skip
            fastest = max(mine, key=lambda row: row.published)
            ours = max(mine, key=lambda row: row.ours)
            # Our run of a strategy may stand for several published ones.
            holds = yes(ours.ours == fastest.ours)
            words = f"fastest of {len(mine)} ({variant}, {', '.join(group)})"
            name = fastest.strategy if holds == "yes" else ours.strategy
            found.append(Claim(figure, words, fastest.strategy, name, holds))
    return found


def draw(rows, notes, about):
    variants = list(dict.fromkeys(row.variant for row in rows))
    strategies = tuple(dict.fromkeys(row.strategy for row in rows))
    fig, panels = style.figure("full", 2.3 * len(variants), rows=len(variants), squeeze=False)
    for axes, variant in zip(panels[:, 0], variants, strict=True):
        mine = [row for row in rows if row.variant == variant]
        groups = list(dict.fromkeys(row.group for row in mine))
        draw_groups(axes, groups, strategies, mine)
        axes.set_xticks(range(len(groups)), [", ".join(group) for group in groups])
        axes.set_ylabel(rows[0].unit)
        axes.set_title(f"profile {variant}", loc="left")
    style.footer(fig, [*about, *notes])
    bar_legend(fig, strategies)
    return fig
