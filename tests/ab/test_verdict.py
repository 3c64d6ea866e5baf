"""The statistics on simulated launches, for which the right answer is known.

The random numbers are fixed, so a test passes always or never. The bounds are a little below the
observed rates. `noise` is the standard deviation of a launch's time, as a share of it.
"""

import numpy as np
import pytest

from verdict import (
    AMBIGUOUS,
    FASTER,
    SAME,
    SLOWER,
    bootstrap_medians,
    compare,
    confirm,
    exit_code,
    holm,
    verdict_of,
)

EXPERIMENTS = 200


def launches(random, ratio, noise, pairs=10, disturbed=0.0):
    """Seconds of old and new. The machine drifts by 2% from pair to pair; a disturbed launch takes
    30% longer."""
    drift = np.exp(np.cumsum(random.normal(0, 0.02, pairs)))

    def seconds(base):
        times = base * drift * np.exp(random.normal(0, noise, pairs))
        times[random.random(pairs) < disturbed] *= 1.3
        return times

    return seconds(1.0), seconds(ratio)


def two_stages(random, ratios, noise, **more):
    """The verdicts of scripts/regression over runs with these true ratios."""
    final = [compare(*launches(random, ratio, noise, **more)) for ratio in ratios]
    odd = [i for i, c in enumerate(final) if c.verdict != SAME]
    fresh = [compare(*launches(random, ratios[i], noise, **more)) for i in odd]
    for i, comparison in zip(odd, confirm(fresh), strict=True):
        final[i] = comparison
    return [c.verdict for c in final]


def share(verdict, ratio, noise, **more):
    random = np.random.default_rng(7)
    found = [two_stages(random, [ratio], noise, **more)[0] for _ in range(EXPERIMENTS)]
    return found.count(verdict) / EXPERIMENTS


@pytest.mark.parametrize(
    ("noise", "pairs", "at_least"), [(0.002, 10, 0.99), (0.005, 10, 0.85), (0.01, 40, 0.80)]
)
def test_a_true_slow_down_of_3_percent_is_found(noise, pairs, at_least):
    assert share(SLOWER, 1.03, noise, pairs=pairs) >= at_least


def test_a_slow_down_is_found_among_disturbed_launches():
    assert share(SLOWER, 1.05, 0.005, disturbed=0.05) >= 0.80


def test_a_true_speed_up_is_found():
    assert share(FASTER, 0.95, 0.005) >= 0.98


@pytest.mark.parametrize("noise", [0.002, 0.005, 0.01, 0.03])
def test_noise_is_not_called_a_change(noise):
    assert share(SLOWER, 1.0, noise, disturbed=0.05) <= 0.01
    assert share(FASTER, 1.0, noise, disturbed=0.05) <= 0.01


def test_no_change_is_called_the_same_on_a_quiet_machine():
    assert share(SAME, 1.0, 0.005) >= 0.98
    assert share(SAME, 1.01, 0.002) >= 0.98


def test_a_change_of_the_margin_itself_is_rarely_called_one():
    assert share(SLOWER, 1.02, 0.005) <= 0.05


def test_a_large_change_is_never_called_the_same():
    assert share(SAME, 1.03, 0.005) == 0


def test_a_noisy_comparison_is_ambiguous():
    assert share(AMBIGUOUS, 1.0, 0.05) >= 0.9


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        c = compare(*launches(random, 1.03, 0.01, disturbed=0.05))
        inside += c.low <= 1.03 <= c.high
    assert 0.92 <= inside / 400 <= 0.985


def test_many_runs_without_a_change_raise_no_alarm():
    # At the margin each run has a 2.5% chance of an alarm, yet forty of them rarely raise one.
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(40):
        fresh = [compare(*launches(random, 1.02, 0.005)) for _ in range(40)]
        alarms += any(c.verdict == SLOWER for c in confirm(fresh))
    assert alarms <= 6  # without Holm's correction: 25 or more
    random = np.random.default_rng(11)
    uncorrected = 0
    for _ in range(40):
        uncorrected += any(
            compare(*launches(random, 1.02, 0.005)).verdict == SLOWER for _ in range(40)
        )
    assert uncorrected >= 20


def test_one_slow_run_is_found_among_many():
    verdicts = two_stages(np.random.default_rng(5), [1.0] * 15 + [1.06], 0.004)
    assert verdicts[-1] == SLOWER
    assert SLOWER not in verdicts[:-1] and FASTER not in verdicts


def test_exact_values():
    c = compare([1.0] * 6, [1.1] * 6)
    assert c.ratio == c.low == c.high == pytest.approx(1.1)
    assert (c.verdict, c.pairs) == (SLOWER, 6)
    assert c.p_slower < 0.001 and c.p_faster == 1
    same = compare([2.0] * 7, [2.0] * 7)
    assert (same.ratio, same.verdict) == (1, SAME)


def test_drift_of_the_machine_cancels():
    drift = [1, 2, 4, 8, 16, 32]
    c = compare(drift, [1.05 * x for x in drift])
    assert c.low == c.high == pytest.approx(1.05)


def test_the_same_data_give_the_same_verdict():
    data = launches(np.random.default_rng(1), 1.02, 0.01)
    assert compare(*data) == compare(*data)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.021, 1.03, SLOWER),
        (1.02, 1.03, AMBIGUOUS),
        (0.98, 1.02, SAME),
        (0.979, 1.02, AMBIGUOUS),
        (0.95, 0.979, FASTER),
        (0.9, 1.1, AMBIGUOUS),
    ],
)
def test_verdicts_at_their_borders(low, high, verdict):
    assert verdict_of(low, high) == verdict


def test_the_bootstrap_agrees_with_its_definition():
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    picks = np.random.default_rng(1).integers(0, 6, (20_000, 6))
    plain = np.median(np.asarray(values)[picks], axis=1)
    levels = [0.025, 0.25, 0.5, 0.75, 0.975]
    fast = np.quantile(bootstrap_medians(values), levels)
    assert np.quantile(plain, levels) == pytest.approx(fast, rel=0.05)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 against 0.05/4, 0.05/3, 0.05/2, 0.05/1: the second fails first.
    assert holm([0.03, 0.01, 0.04, 0.02], 0.05) == [False, True, False, False]
    assert holm([0.01, 0.02, 0.012], 0.05) == [True, True, True]
    assert holm([], 0.05) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ([1] * 9, [1] * 10, "not pairs"),
        ([1] * 5, [1] * 5, "at least 6"),
        ([0] * 6, [1] * 6, "must be positive"),
    ],
)
def test_bad_data_is_refused(old, new, complaint):
    with pytest.raises(ValueError, match=complaint):
        compare(old, new)


def test_exit_codes():
    assert exit_code([SAME, FASTER], strict=True) == 0
    assert exit_code([SAME, AMBIGUOUS], strict=False) == 0
    assert exit_code([SAME, AMBIGUOUS], strict=True) == 4
    assert exit_code([AMBIGUOUS, SLOWER], strict=True) == 3
