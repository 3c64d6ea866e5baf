"""The examples for other languages: the planner runs, and the reader reads."""

import importlib.util

import pytest
from conftest import ROOT, TINY, run_json

EXAMPLES = ROOT / "scripts/examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reader_finds_what_show_prints(results):
    words = ["run", "--strategy", f"exec:{EXAMPLES}/external_planner.py,ring", *TINY]
    done, rows = run_json(*words, "--output", results)
    assert done.returncode == 0, done.stderr
    read = {row["run_id"]: row for row in load("read_results").rows(results)}
    assert set(read) == {row["run_id"] for row in rows}
    for row in rows:
        found = read[row["run_id"]]
        assert (found["strategy"], found["status"]) == (row["strategy"], "ok")
        assert found["slowest_rank"] in (0, 1)
        for name, value in row["metrics"].items():
            assert found[name] == pytest.approx(value), name
