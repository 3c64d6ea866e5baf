"""Is one build slower than another? Pure functions of the seconds of paired launches.

The unit of replication is a launch of the process, not an iteration: what differs between launches
(memory layout, placement, the machine's mood) is the same for all iterations of one. Old and new
alternate, so a drift of the machine is the same for both of a pair. Of each pair only the logarithm
of new / old counts; the statistic is its median, which a few disturbed pairs do not move, with a
bootstrap interval over pairs.

    compare([1.00, 1.01, ...], [1.03, 1.04, ...]).verdict     # "SLOWER"
"""

import functools
from dataclasses import dataclass

import numpy as np

MARGIN = 0.02  # what is called a change: above the day-to-day noise of a quiet machine
CONFIDENCE = 0.95
RESAMPLES = 10_000  # the 2.5% quantile is then good to a tenth of its rank
MIN_PAIRS = 6  # below, the interval is the range of the data or worse

SLOWER, FASTER, SAME, AMBIGUOUS = "SLOWER", "FASTER", "SAME", "AMBIGUOUS"


@dataclass(frozen=True)
class Comparison:
    ratio: float  # new / old, the median over pairs
    low: float  # 95% interval of the ratio
    high: float
    p_slower: float  # one-sided, that the ratio is not above 1 + MARGIN
    p_faster: float  # one-sided, that it is not below 1 - MARGIN
    pairs: int
    verdict: str


@functools.cache
def middles(count):
    """Of each sample with replacement of `count` ranks, the two in its middle (one twice if `count`
    is odd). The seed is fixed: a record gives its verdict again."""
    picks = np.sort(np.random.default_rng(0).integers(0, count, (RESAMPLES, count)), axis=1)
    return picks[:, (count - 1) // 2], picks[:, count // 2]


def bootstrap_medians(values):
    """Medians of samples with replacement, sorted."""
    values = np.sort(np.asarray(values, dtype=float))
    lower, upper = middles(len(values))
    return np.sort((values[lower] + values[upper]) / 2)


def compare(old_seconds, new_seconds):
    """One cell: the i-th launches of both are a pair."""
    if len(old_seconds) != len(new_seconds):
        raise ValueError(f"{len(old_seconds)} launches of old, {len(new_seconds)} of new: no pairs")
    if len(old_seconds) < MIN_PAIRS:
        raise ValueError(f"{len(old_seconds)} pairs are too few; at least {MIN_PAIRS}")
    if min(*old_seconds, *new_seconds) <= 0:
        raise ValueError("a launch took no time")
    logs = np.log(np.asarray(new_seconds) / np.asarray(old_seconds))
    medians = bootstrap_medians(logs)
    low, high = np.quantile(medians, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Comparison(
        ratio=float(np.exp(np.median(logs))),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        p_slower=float((np.sum(medians <= np.log(1 + MARGIN)) + 1) / (RESAMPLES + 1)),
        p_faster=float((np.sum(medians >= np.log(1 - MARGIN)) + 1) / (RESAMPLES + 1)),
        pairs=len(logs),
        verdict=verdict_of(float(np.exp(low)), float(np.exp(high))),
    )


def verdict_of(low, high):
    if low > 1 + MARGIN:
        return SLOWER
    if high < 1 - MARGIN:
        return FASTER
    if low >= 1 - MARGIN and high <= 1 + MARGIN:
        return SAME
    return AMBIGUOUS


def holm(p_values, alpha):
    """Which hypotheses are rejected when the chance of any false one is to be alpha (Holm 1979)."""
    rejected = [False] * len(p_values)
    for done, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] > alpha / (len(p_values) - done):
            break
        rejected[index] = True
    return rejected


def confirm(fresh):
    """Final comparisons of the cells that the first look did not call SAME, from fresh pairs alone:
    that a cell was chosen for looking odd then says nothing about them. With many cells some look
    odd twice by chance, hence Holm's correction; what it does not let pass is AMBIGUOUS.
    """
    one_sided = (1 - CONFIDENCE) / 2
    slower = holm([c.p_slower for c in fresh], one_sided)
    faster = holm([c.p_faster for c in fresh], one_sided)
    final = []
    for comparison, is_slower, is_faster in zip(fresh, slower, faster, strict=True):
        verdict = comparison.verdict
        if (verdict == SLOWER and not is_slower) or (verdict == FASTER and not is_faster):
            verdict = AMBIGUOUS
        final.append(Comparison(**{**comparison.__dict__, "verdict": verdict}))
    return final


def exit_code(verdicts, strict):
    if SLOWER in verdicts:
        return 3
    return 4 if strict and AMBIGUOUS in verdicts else 0
