"""Two sets of results side by side: which runs are paired, their ratios, and cautions."""

import csv
import io
import shutil

import h5py
import pytest
from conftest import TINY, assert_refused, run, run_json

PLAN = [*TINY, "--backend", "plan"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folder a has ring, zigzag and allgather; folder b has ring and zigzag again, and per_doc."""
    a, b = tmp_path_factory.mktemp("a"), tmp_path_factory.mktemp("b")
    run("run", "--strategy", "ring,zigzag,allgather", *TINY, "--output", a)
    run("run", "--strategy", "ring,zigzag,per_doc", *TINY, "--output", b)
    return a, b


def attribute(folder, name, value, group="provenance"):
    for path in folder.glob("*.h5"):
        with h5py.File(path, "r+") as file:
            del file[group].attrs[name]
            file[group].attrs.create(name, value, dtype=h5py.string_dtype("utf-8", len(value)))


def test_ratios_are_b_over_a(folders):
    a, b = folders
    done, both = run_json("compare", a, b)
    assert done.returncode == 0, done.stderr
    assert [pair["a"]["strategy"] for pair in both["pairs"]] == ["ring", "zigzag"]
    _, of_a = run_json("show", a)
    _, of_b = run_json("show", b)
    for pair in both["pairs"]:
        assert pair["a"]["run_id"] == pair["b"]["run_id"]
        for name, values in pair["metrics"].items():
            for side, rows in (("a", of_a), ("b", of_b)):
                row = next(c for c in rows if c["run_id"] == pair["a"]["run_id"])
                assert values[side] == row["metrics"][name]
            if values["a"]:
                assert values["ratio"] == pytest.approx(values["b"] / values["a"])
        assert pair["metrics"]["wire_bytes"]["ratio"] == 1
        assert pair["metrics"]["iteration_seconds"]["ratio"] != 1
    product = 1
    for pair in both["pairs"]:
        product *= pair["metrics"]["iteration_seconds"]["ratio"]
    assert both["mean_ratio"]["iteration_seconds"] == pytest.approx(product**0.5)


def test_runs_of_one_side_are_listed(folders):
    _, both = run_json("compare", *folders)
    assert [row["strategy"] for row in both["a"]["only_here"]] == ["allgather"]
    assert [row["strategy"] for row in both["b"]["only_here"]] == ["per_doc"]
    text = run("compare", *folders).stdout
    assert "only in A: 1 runs" in text and "only in B: 1 runs" in text
    assert text.index("allgather") > text.index("only in A")


def test_the_table_shows_what_differs(folders):
    done = run("compare", *folders, "--metric", "iteration_seconds,wire_bytes")
    assert "the same in all 2 pairs: wire_bytes" in done.stdout
    assert "time A   time B     B/A" in done.stdout
    assert "geometric mean of B/A over 2 pairs: iteration_seconds" in done.stdout
    assert done.stderr == ""
    assert "| time A |" in run("compare", *folders, "--format", "md").stdout


def test_csv_has_every_run_once(folders):
    text = run("compare", *folders, "--format", "csv", "--metric", "wire_bytes").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["in"], row["strategy"]) for row in rows] == [
        ("both", "ring"),
        ("both", "zigzag"),
        ("A", "allgather"),
        ("B", "per_doc"),
    ]
    assert rows[0]["wire_bytes_ratio"] == "1" and rows[2]["wire_bytes_b"] == ""
    assert rows[2]["file_a"].endswith(".h5") and rows[2]["file_b"] == ""


def test_files_are_compared_as_folders_are(folders):
    files = [next(folder.glob("ring-*.h5")) for folder in folders]
    _, both = run_json("compare", *files)
    assert len(both["pairs"]) == 1 and both["a"]["cells"] == 1


def test_a_plan_is_matched_with_its_run_and_labelled(folders, results):
    run("run", "--strategy", "ring", *PLAN, "--output", results)
    done, both = run_json("compare", folders[0], results)
    assert [pair["b"]["source"] for pair in both["pairs"]] == ["planned"]
    assert both["pairs"][0]["a"]["source"] == "measured"
    assert both["pairs"][0]["metrics"]["iteration_seconds"]["ratio"] is None
    done = run("compare", folders[0], results)
    assert done.stderr == ""
    assert "time A measured  time B planned" in done.stdout


def test_different_machines_are_named_in_one_line(folders, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folders[0], other)
    attribute(other, "machine", "0123456789abcdef")
    attribute(other, "cpu_model", "Other CPU")
    done = run("compare", folders[0], other)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "different machines" in done.stderr and "Other CPU" in done.stderr


def test_a_ratio_needs_one_definition(folders, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folders[0], other)
    attribute(other, "definition_version", "7", "metrics/wire_bytes")
    _, both = run_json("compare", folders[0], other)
    for pair in both["pairs"]:
        assert pair["metrics"]["wire_bytes"]["ratio"] is None
        assert pair["metrics"]["peak_bytes"]["ratio"] == 1


def test_a_failed_run_has_no_ratio(folders, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folders[0], other)
    attribute(other, "status", "failed", "/")
    _, both = run_json("compare", folders[0], other)
    assert all(pair["metrics"]["wire_bytes"]["ratio"] is None for pair in both["pairs"])
    assert "ok / failed" in run("compare", folders[0], other).stdout


def test_refusals(folders, results, tmp_path):
    a, b = folders
    assert_refused(run("compare", a, tmp_path / "none"), "none", "no such file")
    assert_refused(run("compare", a, tmp_path), str(tmp_path), "no result files")
    assert_refused(run("compare", a, b, "--metric", "wire_byte"), "--metric", "wire_bytes")
    larger = ["512" if word == "256" else word for word in PLAN]
    run("run", "--strategy", "ring", *larger, "--output", results)
    assert_refused(run("compare", a, results), "no run in common", "tokens (256 / 512)")
    shutil.copytree(a, tmp_path / "twice/a")
    shutil.copytree(a, tmp_path / "twice/b")
    assert_refused(run("compare", tmp_path / "twice", b), "the same run twice", "twice/b")
