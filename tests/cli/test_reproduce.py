"""`cpbench reproduce`: every figure has a suite and a drawing; one of them runs from end to end."""

import csv
import subprocess
import sys

import pytest
from conftest import ROOT, assert_refused, executable, run

SUITES = ROOT / "workloads/suites/reproduce"
FIGURES = sorted(path.stem for path in SUITES.glob("*.toml"))


def test_every_figure_has_a_suite_and_a_drawing():
    drawings = (ROOT / "plots/papers").glob("[a-z]*.py")
    assert FIGURES and sorted(path.stem for path in drawings) == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_every_suite_is_read(name):
    # A bad rank count is refused when the runs are resolved, after the file was read.
    done = run("run", SUITES / f"{name}.toml", "--ranks", "0")
    assert_refused(done, "--ranks", "0 is out of range")


def test_the_packs_of_the_suites_are_those_of_the_table():
    lines = (ROOT / "results/reproduced/flashcp/packs.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for workload in ("wlb_llm", "pile"):
        seeds = [int(r["seed"]) for r in rows if r["workload"] == workload and r["chosen"] == "yes"]
        assert len(seeds) == 5
        line = f"seed = {seeds}  # selected: {workload}"
        assert line in (SUITES / "flashcp_fig5.toml").read_text()


def test_the_errors_of_whole_runs_are_those_of_the_tables():
    check = [sys.executable, ROOT / "scripts/whole_run_errors", "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_unknown_method_and_figure():
    assert_refused(run("reproduce", "flashpc"), "unknown method 'flashpc'", "'flashcp'")
    assert_refused(run("reproduce", "flashcp", "--figure", "9"), "--figure", "'9'", "fig5, fig6")


def test_a_figure_that_no_method_has():
    assert_refused(run("reproduce", "all", "--figure", "99"), "--figure", "'99'", "fig9")


def test_python_without_libraries_is_one_line(tmp_path):
    if (ROOT / ".venv/bin/python3").exists():
        pytest.skip("the project's own environment is found first")
    executable(tmp_path / "python3", "exit 1\n")
    done = run("reproduce", "flashcp", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert_refused(done, "h5py, matplotlib and numpy", "scripts/setup")


def test_a_figure_from_end_to_end_and_then_of_all_methods(tmp_path):
    folder = tmp_path / "flashcp"
    done = run("reproduce", "flashcp", "--figure", "3", "--output", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "## Error per strategy" in done.stdout and "| ideal | zigzag |" in done.stdout
    with (folder / "fig3.csv").open() as file:
        bars = list(csv.DictReader(file))
    # 2 inputs x 2 rank counts x 2 directions x 3 strategies. Cutting documents never helps kernels.
    assert len(bars) == 24
    assert all(float(bar["ours"]) >= 1 for bar in bars if bar["strategy"] == "per_doc")
    assert {float(bar["ours"]) for bar in bars if bar["strategy"] == "allgather"} == {1.0}
    # One meaning with `run`: the result files are there too.
    assert len(list(folder.glob("*.h5"))) == 24
    for ending in ("png", "pdf"):
        assert (folder / f"fig3.{ending}").stat().st_size > 1000
    # The long table is only in the file.
    assert "| ideal | 16x8K, 4 ranks, both |" not in done.stdout
    assert "| ideal | 16x8K, 4 ranks, both |" in (folder / "flashcp.md").read_text()

    # Two papers have a Fig. 3, with one claim and four. The runs above are not repeated.
    done = run("reproduce", "all", "--figure", "3", "--output", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    heads, _, *claims, _, fcp, flashcp = done.stdout.splitlines()[2:]
    assert heads == "| paper | figure | claim | published | ours | holds |"
    assert claims[0].startswith("| fcp | fig3 |") and claims[0].endswith("| yes |")
    assert all(claim.startswith("| flashcp | fig3 |") for claim in claims[1:])
    assert (fcp, flashcp) == ("fcp: 1 of 1 claims hold", "flashcp: 4 of 4 claims hold")
    assert "fcp, 1 of 2 [" in done.stderr and "24 of them from an earlier sweep" in done.stderr
