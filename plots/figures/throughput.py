"""Throughput of each strategy relative to a baseline, by workload, size and number of ranks.

Bars are tokens per second over those of the baseline (all-gather if it ran, else the first strategy
that did), whose own rate is printed below each group. Time is the slowest rank's, the median over
iterations, summed over packs; whiskers are its 95% bootstrap interval. A strategy that did not run
says why.
"""

import numpy as np

import results
import style

PLACE = 10
BASELINES = ("allgather", "ring")
WORDS = {"oom": "out of memory"}
RESAMPLES = 2000
THIN = {"elinewidth": 0.6, "capthick": 0.6}
MOST_BARS = 60  # side by side; narrower bars show no hatch and leave no room for a word
MOST_GROUPS = 6  # side by side, so that each label has an inch


def tokens_per_second(run):
    """The median and its 95% interval, or None if the run has no times."""
    packs = [p for p in run.packs if p.seconds is not None and p.seconds.size]
    if run.status != "ok" or not packs:
        return None
    slowest = np.stack([p.seconds.max(axis=1) for p in packs])  # [pack, iteration]
    tokens = sum(p.document_lengths.sum() - p.cached_tokens.sum() for p in packs)
    picks = np.random.default_rng(0).integers(slowest.shape[1], size=(RESAMPLES, slowest.shape[1]))
    medians = np.median(slowest[:, picks], axis=2).sum(axis=0)
    low, high = np.percentile(medians, [2.5, 97.5])
    return tokens / np.median(slowest, axis=1).sum(), tokens / high, tokens / low


def baseline_of(runs):
    """The run that the group's bars are relative to, or None if nothing ran."""
    ran = [run for run in runs if tokens_per_second(run)]
    return next(
        (run for name in BASELINES for run in ran if run.strategy == name), ran[0] if ran else None
    )


def draw_group(axes, centre, runs, labels, width):
    """Draws the bars around `centre`; returns the text that says what 1 is."""
    baseline = baseline_of(runs)
    unit = tokens_per_second(baseline)[0] if baseline else 1
    for run in runs:
        x = centre + (labels.index(run.label) - (len(labels) - 1) / 2) * width
        rates = tokens_per_second(run)
        if rates:
            value, low, high = (rate / unit for rate in rates)
            whisker = {"yerr": [[value - low], [high - value]], "capsize": min(1.5, 15 * width)}
            axes.bar(x, value, width, error_kw=THIN, **whisker, **style.bar(run.label))
        else:
            word = f" {WORDS.get(run.status, run.status)}"
            axes.text(x, 0.02, word, rotation=90, ha="center", va="bottom", color="#444444")
            axes.plot(x, 0, marker="x", color="#444444", markersize=3, clip_on=False)
    return f"1 = {style.count_text(unit)} tokens/s" if baseline else "nothing ran"


def draw(runs):
    runs = [run for run in runs if run.backend != "plan"]
    if not any(tokens_per_second(run) for run in runs):
        raise results.NothingToDraw("no run has measured or simulated times")
    common, groups = results.grouped(runs)
    labels = style.labels_of(runs)
    baselines = {run.label for run in map(baseline_of, groups.values()) if run}
    marks = {style.marks(members) for members in groups.values()}
    most = max(1, min(len(groups), MOST_GROUPS, MOST_BARS // (len(labels) + 1)))
    rows = -(-len(groups) // most)
    per_row = -(-len(groups) // rows)
    fig, all_axes = style.figure("full", 0.2 + 2.0 * rows, rows=rows, squeeze=False, sharey=True)
    for row, axes in enumerate(all_axes[:, 0]):
        part = list(groups.items())[row * per_row : (row + 1) * per_row]
        ticks = []
        for centre, (words, members) in enumerate(part):
            lines = [draw_group(axes, centre, members, labels, 0.86 / len(labels))]
            if len(baselines) > 1 and (baseline := baseline_of(members)):
                lines[0] += f", {baseline.label}"
            if len(marks) > 1 and style.marks(members):
                lines.append(style.marks(members))
            room = style.characters(0.88 * style.WIDTHS["full"] / per_row)
            ticks.append("\n".join(style.wrapped([*words, *lines], room)))
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_xticks(range(len(part)), ticks)
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.55, per_row - 0.45)
        axes.set_ylabel("throughput / baseline")
    axes.set_ylim(bottom=0)  # of all rows; set last, because it ends the automatic limits
    baseline = [f"baseline: {label}" for label in baselines if len(baselines) == 1]
    style.footer(fig, [*common, *baseline, style.note_runs(runs)])
    style.legend(fig, [style.swatch(**style.bar(label)) for label in labels], labels)
    return fig, runs
