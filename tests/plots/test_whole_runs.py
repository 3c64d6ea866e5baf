"""Errors of whole runs, on rates whose answer is known."""

import pytest

import magi
from whole_runs import Rate, claims, closing, table, tau


def rates_of(values, group=("documents", "forward")):
    return [Rate("ideal", group, name, *pair, unit="iter/s") for name, pair in values.items()]


def test_the_error_is_that_of_the_time():
    (row,) = rates_of({"ring": (50.0, 100.0)})
    assert row.error == pytest.approx(-0.5)
    assert "| 50 iter/s | 100 iter/s | -50% |" in table([row])


def test_tau_counts_pairs_that_have_an_order():
    rows = rates_of({"ring": (50, 60), "zigzag": (70, 65), "ulysses": (71, 1), "magi": (90, 80)})
    # zigzag and ulysses are 1.4% apart. Of the five other pairs one is wrong: ulysses and ring.
    assert tau(rows) == (pytest.approx((4 - 1) / 5), 5)
    assert tau(rates_of({"ring": (50, 60)})) == (None, 0)


def test_ties_of_ours_are_neither_right_nor_wrong():
    assert tau(rates_of({"magi (a2av)": (50, 60), "magi (native)": (70, 60)})) == (0, 1)


def test_errors_by_family():
    rows = rates_of({"ring": (50, 100), "zigzag": (50, 40), "usp": (90, 100)})
    text = closing(rows)
    assert "| ideal | ring | documents, forward | 2 | 38% | -12% | -50% (ring) |" in text
    assert "| ideal | all-to-all | documents, forward | 1 | 10% | -10% | -10% (usp) |" in text


def test_claims_are_the_fastest_strategies():
    rows = rates_of({"one GPU": (99, 99), "ring": (50, 100), "magi (a2av)": (60, 60)})
    rows += rates_of({"ring": (50, 60), "magi (a2av)": (80, 70), "magi (native)": (90, 70)},
                     ("documents", "backward"))  # fmt: skip
    assert [(c.published, c.ours, c.holds) for c in claims("varlen", rows)] == [
        ("magi (a2av)", "ring", "no"), ("magi (native)", "magi (native)", "yes")
    ]  # fmt: skip


def test_backward_is_what_both_passes_take_longer(tmp_path):
    (tmp_path / "causal.csv").write_text(
        "strategy,options,workload,profile,direction,status,ranks,attention_flops,iteration_seconds\n"
        "ulysses,,documents:64K,ideal,forward,ok,8,8e12,0.01\n"
        "ulysses,,documents:64K,ideal,both,ok,8,28e12,0.03\n"
    )
    rows = magi.compare(tmp_path, "causal", "one document")
    assert [row.variant for row in rows] == ["ideal", "ideal", *["implementation"] * 2]
    forward, backward = rows[:2]
    assert (forward.published, forward.ours) == (599, pytest.approx(100))
    assert (backward.published, backward.ours) == (580, pytest.approx(125))
