"""`cpbench run`: its output formats, and relations that the numbers must satisfy."""

import csv
import io
import json
import shlex
import subprocess

import pytest
from conftest import PROGRAM, TINY, run, run_json

STRATEGIES = ["allgather", "flashcp", "per_doc", "ring", "ulysses", "zigzag"]


def test_json_has_one_object_per_cell(results):
    done, cells = run_json("run", "--strategy", ",".join(STRATEGIES), *TINY, "--output", results)
    assert done.returncode == 0, done.stderr
    assert [cell["strategy"] for cell in cells] == STRATEGIES
    for cell in cells:
        assert cell["status"] == "ok", cell["error"]
        assert cell["error"] == "" and cell["options"] == {}
        assert (cell["tokens"], cell["ranks"]) == (256, 2)
        assert (cell["backend"], cell["direction"]) == ("threads", "both")
        assert cell["workload"] == "fixed:tokens=100"
        assert (results / cell["file"].split("/")[-1]).exists()
        metrics = cell["metrics"]
        assert metrics["counted_bytes"] == metrics["wire_bytes"] >= metrics["useful_bytes"] >= 0
        assert metrics["max_error_output"] <= 1e-10
        assert metrics["max_error_gradient"] <= 1e-10
        for name in [
            "compute_imbalance",
            "token_imbalance",
            "peak_bytes",
            "planning_seconds",
            "compile_seconds",
            "attention_seconds",
            "iteration_seconds",
            "steps",
        ]:
            assert metrics[name] > 0, name


def test_metric_names_are_those_of_the_list(results):
    _, cells = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    _, listed = run_json("list", "metrics")
    assert set(cells[0]["metrics"]) <= {metric["name"] for metric in listed}


def test_plan_backend_runs_nothing(results):
    done, cells = run_json(
        "run",
        "--strategy",
        "ring",
        "--backend",
        "plan",
        "--workload",
        "pile",
        "--tokens",
        "4K",
        "--ranks",
        "4",
        "--output",
        results,
    )
    assert done.returncode == 0
    assert cells[0]["metrics"]["wire_bytes"] > 0
    assert "iteration_seconds" not in cells[0]["metrics"]
    assert "counted_bytes" not in cells[0]["metrics"]


def test_options_and_variants(results):
    _, cells = run_json(
        "run",
        "--strategy",
        "flashcp,flashcp:ratio=1.5",
        "--set",
        "flashcp.ratio=1.2",
        "--backend",
        "plan",
        *TINY,
        "--output",
        results,
    )
    assert [cell["options"] for cell in cells] == [{"ratio": "1.2"}, {"ratio": "1.5"}]


def test_forward_has_no_gradient(results):
    _, cells = run_json(
        "run", "--strategy", "ring", "--direction", "forward", *TINY, "--output", results
    )
    assert cells[0]["status"] == "ok"
    assert "max_error_gradient" not in cells[0]["metrics"]


def test_table_folds_constants_and_compares(results):
    done = run("run", "--strategy", "ring,allgather", *TINY, "--output", results)
    heading, _, columns, *rows = done.stdout.splitlines()
    assert "tokens 256" in heading and "ranks 2" in heading
    assert columns.split()[0] == "strategy" and "speed / allgather" in columns
    assert [row.split()[0] for row in rows] == ["ring", "allgather"]
    assert "1.00x" in rows[1]


def test_csv_and_markdown(results):
    words = ["run", "--strategy", "ring,allgather", "--backend", "plan", *TINY, "--output", results]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").stdout)))
    assert [row["strategy"] for row in rows] == ["ring", "allgather"]
    assert int(rows[0]["wire_bytes"]) > 0 and len(rows[0]["plan_hash"]) == 16
    assert "| strategy |" in run(*words, "--format", "md").stdout


def test_narration_is_not_on_standard_output(results):
    done = run("run", "--strategy", "ring", *TINY, "--output", results, "--format", "json")
    json.loads(done.stdout)
    assert "[1/1] ring" in done.stderr
    assert "\r" not in done.stderr and "\x1b" not in done.stderr  # no control codes in a file


def test_a_cell_that_cannot_does_not_stop_the_others(results):
    done, cells = run_json(
        "run",
        "--strategy",
        "ulysses,ring",
        "--workload",
        "fixed:tokens=100",
        "--tokens",
        "256",
        "--ranks",
        "3",
        "--backend",
        "plan",
        "--output",
        results,
    )
    assert done.returncode == 0
    assert [cell["status"] for cell in cells] == ["unsupported", "ok"]
    assert "8" in cells[0]["error"] and "3" in cells[0]["error"]


def test_a_failed_cell_does_not_stop_the_others(tmp_path, results):
    planner = tmp_path / "planner"
    planner.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    planner.chmod(0o755)
    done, cells = run_json("run", "--strategy", f"exec:{planner},ring", *TINY, "--output", results)
    assert done.returncode == 1
    assert [cell["status"] for cell in cells] == ["failed", "ok"]
    assert "broken" in cells[0]["error"]


def test_wrong_external_plan_fails_naming_the_rule(tmp_path, results):
    plan = tmp_path / "plan.json"
    assert run("plan", "--strategy", "ring", *TINY[:-2], "--output", plan).returncode == 0
    wrong = json.loads(plan.read_text())["plan"]
    wrong["forward"]["attends"].pop()
    planner = tmp_path / "planner"
    planner.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{json.dumps(wrong)}'\n")
    planner.chmod(0o755)
    done, cells = run_json("run", "--strategy", f"exec:{planner}", *TINY, "--output", results)
    assert done.returncode == 1
    assert cells[0]["status"] == "failed" and "P3" in cells[0]["error"]


def test_external_planner_is_timed_by_the_clock(tmp_path, results):
    plan = tmp_path / "plan.json"
    assert run("plan", "--strategy", "ring", *TINY[:-2], "--output", plan).returncode == 0
    planner = tmp_path / "planner"
    planner.write_text(
        f"#!/bin/sh\ncat > /dev/null\nsleep 0.2\n"
        f"echo '{json.dumps(json.loads(plan.read_text())['plan'])}'\n"
    )
    planner.chmod(0o755)
    _, cells = run_json("run", "--strategy", f"exec:{planner}", *TINY, "--output", results)
    assert cells[0]["metrics"]["planning_seconds"] >= 0.2


def test_dry_run_writes_nothing(results):
    done, cells = run_json(
        "run", "--strategy", "ring,zigzag", *TINY, "--output", results, "--dry-run"
    )
    assert done.returncode == 0
    assert not results.exists()
    assert all(cell["metrics"]["wire_bytes"] > 0 and not cell["existed"] for cell in cells)
    assert "2 cells, 0 exist already" in done.stderr and "takes about" in done.stderr
    run("run", "--strategy", "ring", *TINY, "--output", results)
    _, cells = run_json("run", "--strategy", "ring,zigzag", *TINY, "--output", results, "--dry-run")
    assert [cell["existed"] for cell in cells] == [True, False]


def test_show_prints_the_command_that_makes_it_again(results, tmp_path):
    _, cells = run_json("run", "--strategy", "flashcp:ratio=1.3", *TINY, "--output", results)
    shown = run("show", cells[0]["file"])
    assert shown.returncode == 0 and "wire_bytes" in shown.stdout
    command = shlex.split(shown.stdout.split("again: ")[1])
    done = subprocess.run(
        [PROGRAM, *command[1:], "--format", "json", "--output", tmp_path / "2"],
        capture_output=True,
        text=True,
    )
    again = json.loads(done.stdout)[0]
    assert again["run_id"] == cells[0]["run_id"]
    assert again["plan_hash"] == cells[0]["plan_hash"]


def test_show_folder(results):
    run("run", "--strategy", "ring,zigzag", *TINY, "--output", results)
    shown = run("show", results, "--baseline", "ring")
    assert shown.returncode == 0
    assert "speed / ring" in shown.stdout and "zigzag" in shown.stdout


def test_more_ranks_than_cores_is_said(results):
    done, cells = run_json(
        "run",
        "--strategy",
        "ring",
        "--workload",
        "fixed:tokens=100",
        "--tokens",
        "512",
        "--ranks",
        "128",
        "--iterations",
        "1",
        "--output",
        results,
    )
    if not cells[0]["oversubscribed"]:
        pytest.skip("128 cores or more")
    assert "mfu" not in cells[0]["metrics"]
    assert "more ranks than the" in done.stderr


def test_a_suite_wins_over_a_folder_of_its_name(tmp_path):
    (tmp_path / "quick").mkdir()
    words = ["run", "quick", *TINY, "--backend", "plan", "--packs", "1", "--dry-run"]
    done, cells = run_json(*words, cwd=tmp_path)
    assert done.returncode == 0 and cells
    done = run("run", "./quick", cwd=tmp_path)
    assert done.returncode == 2 and "./quick: is a directory, not a suite file" in done.stderr
