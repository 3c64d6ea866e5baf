"""MFU of attention over the number of ranks, with equally many tokens per rank (weak scaling).

There is one panel per workload and number of tokens per rank, and one line per strategy. A strategy
that does not support a problem, or does not fit, has no mark. The figure is drawn only when it is
named.
"""

import lines
import results
import style

PLACE = None


def ranks(run):
    return run.ranks


def percent(run):
    return 100 * run.metrics["mfu"]


def draw(runs):
    timed = [run for run in runs if "mfu" in run.metrics or run.status != "ok"]
    if len({run.ranks for run in timed if run.status == "ok"}) < 2:
        raise results.NothingToDraw("no runs with an MFU differ in their number of ranks")
    common, found = results.grouped(timed, ("ranks", "tokens", "nodes"))
    groups = {}
    for words, members in found.items():
        for run in members:
            share = f"{results.size_text(run.tokens // run.ranks)} tokens per rank"
            groups.setdefault((*words, share), []).append(run)

    def finish(axes):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("ranks")
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("MFU of attention (%)")

    fig, drawn = lines.draw(groups, ranks, percent, finish)
    style.footer(fig, [*common, style.note_runs(drawn)])
    return fig, drawn
