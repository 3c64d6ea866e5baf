"""Decides whether a build is slower than another, from the times of paired launches.

All functions are pure. The unit of replication is a launch of the process, not an iteration,
because what differs between launches (memory layout, placement, state of the machine) is the same
for all iterations of one. Old and new alternate, so a drift of the machine affects both launches of
a pair. The statistic is the median over pairs of log(new / old), which a few disturbed pairs do not
move, with a bootstrap interval over pairs.

    compare([1.00, 1.01, ...], [1.03, 1.04, ...]).verdict     # "SLOWER"
"""

import functools
from dataclasses import dataclass

import numpy as np

MARGIN = 0.02  # smaller differences are no change: a quiet machine varies so much from day to day
CONFIDENCE = 0.95
RESAMPLES = 10_000  # enough for the 2.5% quantile: its rank then varies by 6%
MIN_PAIRS = 6  # with fewer, the interval is the range of the data or wider

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

    @property
    def detectable(self):
        """The smallest slow-down, as a share, that these launches could have called SLOWER: the
        interval would begin at the margin if the ratio were so much above 1."""
        return (1 + MARGIN) * self.ratio / self.low - 1


@functools.cache
def middles(count):
    """For each bootstrap sample of `count` ranks, the two in its middle (the same if `count`
    is odd). The seed is fixed, so that the same data give the same verdict."""
    picks = np.sort(np.random.default_rng(0).integers(0, count, (RESAMPLES, count)), axis=1)
    return picks[:, (count - 1) // 2], picks[:, count // 2]


def bootstrap_medians(values):
    """The medians of bootstrap samples, sorted."""
    values = np.sort(np.asarray(values, dtype=float))
    lower, upper = middles(len(values))
    return np.sort((values[lower] + values[upper]) / 2)


def compare(old_seconds, new_seconds):
    """Compares the times of one run; the i-th launches of both builds are a pair."""
    if len(old_seconds) != len(new_seconds):
        raise ValueError(
            f"{len(old_seconds)} old and {len(new_seconds)} new launches are not pairs"
        )
    if len(old_seconds) < MIN_PAIRS:
        raise ValueError(f"{len(old_seconds)} pairs are too few; it needs at least {MIN_PAIRS}")
    if min(*old_seconds, *new_seconds) <= 0:
        raise ValueError("the time of a launch must be positive")
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
    """Which hypotheses are rejected if the chance of any false rejection is alpha (Holm 1979)."""
    rejected = [False] * len(p_values)
    for done, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] > alpha / (len(p_values) - done):
            break
        rejected[index] = True
    return rejected


def confirm(fresh):
    """The final comparisons of runs that were not SAME at first, only from new pairs, so that the
    selection does not bias them. Among many runs some differ twice by chance: if Holm's correction
    does not confirm a difference, the run is AMBIGUOUS.
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
