"""Throughput of each strategy relative to a baseline, one group of bars per workload, size, ranks.

Bars are tokens per second over those of the baseline (all-gather where it ran, else the first that
did), whose own value stands below each group. Time is the median over iterations of the slowest
rank's, summed over packs; whiskers are its 95% bootstrap interval. What did not run says why.
"""

import numpy as np
import style

import results

BASELINES = ("allgather", "ring")
WORDS = {"oom": "out of memory", "unsupported": "unsupported", "failed": "failed"}
RESAMPLES = 2000


def tokens_per_second(run):
    """The median and its 95% interval, or None if it did not run."""
    packs = [p for p in run.packs if p.seconds is not None and p.seconds.size]
    if run.status != "ok" or not packs:
        return None
    slowest = np.stack([p.seconds.max(axis=1) for p in packs])  # [pack, iteration]
    tokens = sum(p.document_lengths.sum() - p.cached_tokens.sum() for p in packs)
    picks = np.random.default_rng(0).integers(slowest.shape[1],
                                              size=(RESAMPLES, slowest.shape[1]))
    medians = np.median(slowest[:, picks], axis=2).sum(axis=0)
    low, high = np.percentile(medians, [2.5, 97.5])
    return tokens / np.median(slowest, axis=1).sum(), tokens / high, tokens / low


def rate_text(rate):
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if rate >= unit:
            return f"{rate / unit:.3g}{name} tok/s"
    return f"{rate:.3g} tok/s"


def draw_group(axes, centre, runs, labels, width):
    rates = {run.label: tokens_per_second(run) for run in runs}
    ran = [run for run in runs if rates[run.label]]
    first = [run for name in BASELINES for run in ran if run.strategy == name] + ran
    if first:
        baseline = rates[first[0].label][0]
    for run in runs:
        x = centre + (labels.index(run.label) - (len(labels) - 1) / 2) * width
        if rates[run.label]:
            value, low, high = (r / baseline for r in rates[run.label])
            axes.bar(x, value, width, yerr=[[value - low], [high - value]], capsize=1.5,
                     error_kw={"elinewidth": 0.6, "capthick": 0.6}, **style.bar(run.strategy))
        else:
            axes.text(x, 0.02, f" {WORDS.get(run.status, run.status)}", rotation=90, ha="center",
                      va="bottom", color="#444444")
            axes.plot(x, 0, marker="x", color="#444444", markersize=3, clip_on=False)
    if not first:
        return "nothing ran"
    note = "\noversubscribed" if style.note_runs(runs) else ""
    return f"1 = {first[0].strategy}\n{rate_text(baseline)}{note}"


def draw(runs):
    runs = [run for run in runs if run.backend != "plan"]
    if not any(tokens_per_second(run) for run in runs):
        raise results.ResultError("no run has samples; throughput needs runs, not plans alone")
    groups = results.grouped(runs)
    labels = sorted({run.label for run in runs}, key=lambda label: style.order(label))
    per_row = max(1, min(len(groups), 36 // len(labels)))
    rows = -(-len(groups) // per_row)
    fig, all_axes = style.figure("full", 0.4 + 2.1 * rows, rows=rows, squeeze=False, sharey=True)
    for row, axes in enumerate(all_axes[:, 0]):
        part = list(groups.items())[row * per_row:(row + 1) * per_row]
        ticks = []
        for centre, (words, members) in enumerate(part):
            note = draw_group(axes, centre, members, labels, 0.86 / len(labels))
            ticks.append("\n".join([*style.wrapped(words), note]))
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_xticks(range(len(part)), ticks)
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.55, per_row - 0.45)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("throughput / baseline")
    handles = [style.plt.Rectangle((0, 0), 1, 1, **style.bar(style.strategy_of(label)))
               for label in labels]
    style.legend(fig, handles, labels)
    return fig, runs


if __name__ == "__main__":
    style.main(__doc__, draw, "throughput")
