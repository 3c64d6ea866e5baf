"""The table of claims, and what figures of FCP make of runs, on values whose answer is known."""

import csv

import pytest

import claims
import fcp
from claims import Claim
from published import Row


def test_claims_of_drawn_figures_replace_the_old_ones(tmp_path):
    path = tmp_path / "claims.csv"
    old = [Claim("fig9", "old", "1", "2", "no"), Claim("fig10", "kept", "1", "1", "yes")]
    claims.write(path, old, {"fig9", "fig10"})
    text = claims.write(path, [Claim("fig9", "new", "1", "1", "yes")], {"fig9"})
    with path.open(newline="") as file:
        found = [(row["figure"], row["claim"]) for row in csv.DictReader(file)]
    assert found == [("fig10", "kept"), ("fig9", "new")]
    assert "| fig9 | new |" in text and "| old |" not in text


def test_claims_of_the_abstract_come_first(tmp_path):
    found = [Claim("a", "x", "", "", "yes"), Claim("abstract", "y", "", "", "no")]
    lines = claims.write(tmp_path / "claims.csv", found, set()).splitlines()
    assert lines[2].startswith("| abstract |")


def test_claims_of_several_methods_are_one_table(tmp_path):
    for method, holds in (("fcp", "no"), ("flashcp", "yes")):
        (tmp_path / method).mkdir()
        found = [Claim("fig9", "faster", "2", "1", holds)]
        claims.write(tmp_path / method / "claims.csv", found, {"fig9"})
    folders = {method: tmp_path / method for method in ("fcp", "flashcp", "magi")}
    lines = claims.of_all(folders).splitlines()
    assert lines[2] == "| paper | figure | claim | published | ours | holds |"
    assert lines[4:6] == ["| fcp | fig9 | faster | 2 | 1 | no |",
                          "| flashcp | fig9 | faster | 2 | 1 | yes |"]  # fmt: skip
    assert lines[7:] == ["fcp: 0 of 1 claims hold", "flashcp: 1 of 1 claims hold"]


def run(label, direction, flops, mfu, workload="magi_pretrain", seed=1.0):
    return {"label": label, "direction": direction, "attention_flops": flops, "mfu": mfu,
            "workload": workload, "seed": seed, "ranks": 16.0, "tokens": "512K",
            "attention_share": 0.5}  # fmt: skip


def test_the_backward_pass_is_the_rest_of_both_passes():
    # Forward 10 of 20, both passes 35 of 70: backward 25 of 50.
    values = fcp.mfu([run("fcp", "forward", 10, 0.5), run("fcp", "both", 35, 0.5)])
    at = ("magi_pretrain", 16, 32)
    assert values[fcp.Point(*at, "backward", "fcp")] == pytest.approx([50])
    assert values[fcp.Point(*at, "forward", "fcp")] == pytest.approx([50])


def test_the_time_in_kernels_leaves_the_rest_out():
    values = fcp.mfu([run("fcp", "forward", 10, 0.25)], kernels_only=True)
    assert list(values.values()) == [pytest.approx([50])]


def test_the_oracle_takes_the_better_ring_of_each_pack():
    runs = [
        run("zigzag", "forward", 10, 0.1, seed=1.0), run("bytescale", "forward", 10, 0.2, seed=1.0),
        run("zigzag", "forward", 10, 0.4, seed=2.0), run("bytescale", "forward", 10, 0.3, seed=2.0),
    ]  # fmt: skip
    point = fcp.Point("magi_pretrain", 16, 32, "forward", fcp.ORACLE)
    assert fcp.mfu(runs)[point] == pytest.approx([20, 40])


def test_best_everywhere_names_the_point_that_is_lost():
    def row(name, value, ranks):
        return Row("forward", (f"{ranks} ranks",), name, None, value, unit="%")

    good = [row("fcp", 50, 16), row("zigzag", 40, 16)]
    assert fcp.best_everywhere("fig11", good).holds == "yes"
    lost = fcp.best_everywhere("fig11", [*good, row("fcp", 30, 64), row("magi", 40, 64)])
    assert lost.holds == "no" and "0.75x of magi (forward, 64 ranks)" in lost.ours
