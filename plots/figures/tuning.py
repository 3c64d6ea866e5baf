"""Simulated or measured time of each strategy, as it is given and with tuned options.

There is one row per strategy, the fastest on top: the time of a pack with tuned options, and
behind it, paler, the time of the strategy as it is given. The options that won stand at the end of
the row.
Bars that are longer than four times the shortest are cut, and their times are printed.

It shows folders of `cpbench recommend` and of `cpbench run --tune`.
"""

from dataclasses import dataclass

import results
import style

PLACE = None  # other folders have no tuned runs
MOST_PANELS = 4
LONGEST = 4  # times the shortest bar
ROW = 0.24  # inches


@dataclass
class Pair:
    given: results.Run
    tuned: results.Run  # the same run where no options are faster


def packs(run):
    return run.attributes["packs"]


def seconds_per_pack(run):
    return run.seconds / packs(run) if run.seconds else float("inf")


def pairs_of(runs):
    """The pairs that have a time, the fastest first. Each is of the most packs of its strategy."""
    pairs = []
    for strategy in {run.strategy for run in runs}:
        own = [run for run in runs if run.strategy == strategy]
        own = [run for run in own if packs(run) == max(map(packs, own))]
        given = min(own, key=lambda run: len(run.options))
        pairs.append(Pair(given, min([given, *own], key=seconds_per_pack)))
    pairs = [pair for pair in pairs if pair.tuned.seconds]
    return sorted(pairs, key=lambda pair: (seconds_per_pack(pair.tuned), pair.tuned.strategy))


def draw_panel(axes, pairs, unit):
    limit = LONGEST * seconds_per_pack(pairs[0].tuned)
    most = max(packs(pair.tuned) for pair in pairs)
    for row, pair in enumerate(pairs):
        look = style.bar(pair.tuned.strategy)
        tuned, given = seconds_per_pack(pair.tuned), seconds_per_pack(pair.given)
        if given < float("inf") and pair.given is not pair.tuned:
            pale = {**look, "alpha": 0.3, "hatch": ""}
            axes.barh(row, min(given, limit) / unit, 0.76, **pale)
        axes.barh(row, min(tuned, limit) / unit, 0.5, **look)
        words = [style.time_text(tuned)] if tuned > limit else []
        if packs(pair.tuned) < most:
            words += ["on 1 pack" if packs(pair.tuned) == 1 else f"on {packs(pair.tuned)} packs"]
        words += [pair.tuned.options] if pair.given is not pair.tuned else []
        end = min(max(tuned, given if given < float("inf") else 0), limit)
        axes.text(end / unit, row, " " + ", ".join(words), va="center", ha="left")
    style.strategy_rows(axes, [pair.tuned.strategy for pair in pairs])
    axes.set_xlim(0, 1.9 * limit / unit)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick * unit <= 1.001 * limit])
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")


def draw(runs):
    common, groups = results.grouped(runs, apart=("packs",))
    panels = {words: pairs_of(members) for words, members in groups.items()}
    panels = {words: pairs for words, pairs in panels.items() if pairs}
    if not any(pair.given is not pair.tuned for pairs in panels.values() for pair in pairs):
        raise results.NothingToDraw("no strategy has a run with tuned options next to one without")
    panels, left_out = style.first(panels, MOST_PANELS)
    rows = max(len(pairs) for pairs in panels.values())
    fig, all_axes, _ = style.panels(len(panels), 1, 0.5 + ROW * rows, width="full")
    for axes, (words, pairs) in zip(all_axes, panels.items(), strict=True):
        unit, name = style.time_unit(seconds_per_pack(pairs[0].tuned))
        draw_panel(axes, pairs, unit)
        style.title(axes, words, style.WIDTHS["full"] - 1.5)
        axes.set_xlabel(f"time of a pack ({name})")
    shown = [run for pairs in panels.values() for p in pairs for run in (p.given, p.tuned)]
    style.footer(fig, [*common, *left_out, style.note_runs(shown)])
    samples = [style.swatch(facecolor="#666666"), style.swatch(facecolor="#666666", alpha=0.3)]
    style.legend(fig, samples, ["tuned, or as given where no options are faster", "as given"])
    return fig, shown
