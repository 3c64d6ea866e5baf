"""Errors and kept order of strategies in papers' figures, on rows whose answer is known."""

import pytest

from error_tables import errors, kept_order, summary
from published import Row, speedups


def rows_of(values, variant="ideal", group=("a",), unit=""):
    return [Row(variant, group, name, *pair, unit=unit) for name, pair in values.items()]


def test_errors_are_relative_and_signed():
    rows = rows_of({"ring": (2.0, 1.8)}) + rows_of({"ring": (2.0, 2.6)}, group=("b",))
    ((_, _, points, absolute, signed, bars),) = errors(rows)
    assert (points, bars) == (False, 2)
    assert absolute == pytest.approx(0.2) and signed == pytest.approx(0.1)


def test_errors_of_shares_are_in_points():
    ((_, _, points, absolute, _, _),) = errors(rows_of({"fcp": (90.0, 87.5)}, unit="%"))
    assert points and absolute == pytest.approx(2.5)


def test_what_is_1_by_definition_or_unpublished_does_not_count():
    rows = rows_of({"allgather": (1.0, 1.0), "web": (None, 1.4), "flashcp": (1.5, 1.5)})
    assert [entry[1] for entry in errors(rows)] == ["flashcp"]


def test_order_is_kept_by_group():
    good = rows_of({"allgather": (1.0, 1.0), "ring": (0.7, 0.9), "flashcp": (1.3, 1.2)})
    bad = rows_of(
        {"allgather": (1.0, 1.0), "ring": (0.7, 1.1), "flashcp": (1.3, 1.2)}, group=("b",)
    )
    assert kept_order(good + bad) == {"ideal": (1, 2, 5, 6)}
    assert "in 1 of 2 groups (50%), 5 of 6 pairs (83%)" in summary(good + bad)


def test_equal_published_values_have_no_order():
    assert kept_order(rows_of({"a": (1.0, 2.0), "b": (1.0, 1.0)})) == {}


def test_speedup_is_the_ratio_of_sums_over_common_seeds():
    runs = [
        {"label": name, "seed": seed, "iteration_seconds": seconds}
        for name, seed, seconds in (
            ("allgather", 1, 2.0),
            ("allgather", 2, 6.0),
            ("flashcp", 1, 1.0),
            ("flashcp", 2, 4.0),
            ("flashcp", 3, 9.0),  # there is no run of all-gather with seed 3
        )
    ]
    found = speedups(runs, key=lambda run: "group")
    assert found["group", "flashcp"] == pytest.approx((8 / 5, 1.5, 2.0))
    assert found["group", "allgather"] == (1, 1, 1)
