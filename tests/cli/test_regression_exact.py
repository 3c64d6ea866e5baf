"""scripts/regression_exact says what changed and by how much, and accepts it on request."""

import csv
import subprocess

import pytest
from conftest import PROGRAM, ROOT

SUITE = 'strategy = ["ring", "allgather"]\nworkload = "fixed:tokens=100"\ntokens = 256\nranks = 2\n'


def gate(tmp_path, *words):
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE)
    script = [ROOT / "scripts/regression_exact", "--cpbench", PROGRAM, "--suite", suite]
    script += ["--baseline", tmp_path / "exact.csv", *words]
    return subprocess.run(script, capture_output=True, text=True)


@pytest.fixture
def tracked(tmp_path):
    assert gate(tmp_path, "--update").returncode == 0
    return tmp_path / "exact.csv"


def test_equal(tmp_path, tracked):
    done = gate(tmp_path)
    assert done.returncode == 0 and "2 runs as tracked" in done.stdout


def change(file, function):
    rows = list(csv.DictReader(file.open()))
    fields = list(rows[0])
    function(rows)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, fields)
        writer.writeheader()
        writer.writerows(rows)


def test_a_changed_metric_is_reported_with_its_difference(tmp_path, tracked):
    def halve(rows):
        rows[0]["wire_bytes"] = str(int(rows[0]["wire_bytes"]) // 2)

    change(tracked, halve)
    done = gate(tmp_path)
    assert done.returncode == 3
    line = done.stdout.splitlines()[0]
    assert "strategy=ring" in line and "wire_bytes was" in line and "+100%" in line
    assert "--update" in done.stdout
    assert gate(tmp_path, "--update").returncode == 0
    assert gate(tmp_path).returncode == 0


def test_runs_that_come_and_go(tmp_path, tracked):
    def rename(rows):
        rows[0]["strategy"] = "other"

    change(tracked, rename)
    done = gate(tmp_path)
    assert done.returncode == 3
    assert "strategy=other" in done.stdout and "run is gone" in done.stdout
    assert "strategy=ring" in done.stdout and "run is new" in done.stdout


def test_no_baseline(tmp_path):
    done = gate(tmp_path)
    assert done.returncode == 2 and "--update" in done.stderr
