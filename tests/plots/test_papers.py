"""Errors and kept order of strategies in papers' figures, on rows whose answer is known."""

import pytest

import claims
import flexcp
from error_tables import errors, kept_order, summary
from papers import flashcp_fig5, flashcp_table2
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


def test_averages_are_over_the_groups_that_both_have():
    rows = [
        row
        for group, ours in ((("wlb",), 1.5), (("pile",), 2.5))
        for row in rows_of(
            {"allgather": (1.0, 1.0), flashcp_fig5.RING: (0.8, 1.0), "zigzag": (1.0, 1.0),
             "per_doc": (1.25, 1.0), "flashcp": (1.5, ours)}, group=group
        )
    ]  # fmt: skip
    ((groups, found),) = flashcp_fig5.averages(rows).values()
    assert groups == 2
    assert found["allgather"] == pytest.approx((1.5, 2.0))
    assert found["per_doc"] == pytest.approx((1.2, 2.0))


def test_the_share_of_a_gain_that_is_the_implementation():
    rows = []
    for variant, speed in (("ideal", 1.2), ("paper-eager", 1.5)):
        rows += rows_of(
            {"allgather": (1.0, 1.0), flashcp_fig5.RING: (0.8, 1.0), "zigzag": (1.0, 1.0),
             "per_doc": (1.0, 1.0), "flashcp": (1.6, speed)}, variant
        )  # fmt: skip
    text = flashcp_fig5.averages_text(rows)
    assert "20% with nothing fitted, 50% with" in text and "So 60% of the second" in text


def test_a_claim_holds_within_a_tenth_and_more_is_not_the_same():
    verdicts = [claims.closeness(1.5, ours) for ours in (1.36, 1.34, 1.64, 2.0, 1.0)]
    assert verdicts == ["yes", "partly", "yes", "more", "no"]


def test_a_saving_three_times_the_published_is_more():
    quantity = ("communication saving", "128K tokens", "8 packs")
    rows = [
        Row("plans", quantity, "heuristic", 0.28, ours, ours, ours) for ours in (0.3, 0.86, 0.1)
    ]
    assert [claim.holds for claim in flashcp_table2.claims(rows)] == ["yes", "more", "no"]


def test_claims_of_other_figures_are_kept_and_counted(tmp_path):
    path = tmp_path / "claims.csv"
    first = claims.Claim("fig5", "faster", "1.5", "1.6", "yes")
    more = claims.Claim("fig7", "faster", "1.5", "2.6", "more")
    claims.write(path, [first, claims.Claim("fig6", "shorter", "2 ms", "3 ms", "no"), more],
                 {"fig5"})  # fmt: skip
    text = claims.write(path, [claims.Claim("fig6", "shorter", "2 ms", "2.5 ms", "partly")],
                        {"fig6"})  # fmt: skip
    assert "| fig5 | faster | 1.5 | 1.6 | yes |" in text and "3 ms" not in text
    assert claims.headline("flashcp", path) == ("flashcp: 1 of 3 claims hold, 1 exceeded, 1 partly")


def test_the_static_degree_is_the_one_with_the_least_sum():
    runs = [
        {"strategy": strategy, "options": options, "iteration_seconds": seconds}
        for strategy, options, seconds in (
            ("flexcp", "", 1.0),
            ("flexcp", "", 1.0),
            ("flexcp", "bins=best,cost=calibrated,max_degree=64", 0.5),
            ("flexcp", "bins=best,cost=calibrated,max_degree=64", 1.0),
            ("flexcp", "degree=1", 0.5),  # does not support the other pack
            ("flexcp", "degree=2", 3.0),
            ("flexcp", "degree=2", 1.0),
            ("flexcp", "degree=4", 2.5),
            ("flexcp", "degree=4", 2.5),
            ("deepspeed_static", "degree=8", 1.1),
            ("deepspeed_static", "degree=8", 1.1),
        )
    ]
    assert flexcp.arms(runs) == {
        flexcp.FLEXIBLE: (2.0, 0),
        flexcp.OURS: (1.5, 0),
        flexcp.MEGATRON: (4.0, 2),
        flexcp.DEEPSPEED: (2.2, 8),
    }
