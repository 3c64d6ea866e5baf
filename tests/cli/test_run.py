"""Runs: their output in every format, and what must hold for their numbers."""

import csv
import io
import json
import shlex
import subprocess

import pytest
from conftest import PROGRAM, ROOT, TINY, executable, run, run_json

STRATEGIES = ["allgather", "flashcp", "per_doc", "ring", "ulysses", "zigzag"]
TIMED = ("planning", "compile", "attention", "iteration")


def test_json_has_one_object_per_run(results):
    done, rows = run_json("run", "--strategy", ",".join(STRATEGIES), *TINY, "--output", results)
    assert done.returncode == 0, done.stderr
    assert [row["strategy"] for row in rows] == STRATEGIES
    for row in rows:
        assert row["status"] == "ok", row["error"]
        assert row["error"] == "" and row["options"] == {}
        assert (row["tokens"], row["ranks"]) == (256, 2)
        assert (row["backend"], row["direction"]) == ("threads", "both")
        assert row["workload"] == "fixed:tokens=100"
        assert (results / row["file"].split("/")[-1]).exists()
        metrics = row["metrics"]
        assert metrics["counted_bytes"] == metrics["wire_bytes"] >= metrics["useful_bytes"] >= 0
        assert metrics["max_error_output"] <= 1e-10
        assert metrics["max_error_gradient"] <= 1e-10
        positive = ("compute_imbalance", "token_imbalance", "peak_bytes", "steps")
        for name in (*positive, *(f"{part}_seconds" for part in TIMED)):
            assert metrics[name] > 0, name


def test_metric_names_are_those_of_the_list(results):
    _, rows = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    _, listed = run_json("list", "metrics")
    assert set(rows[0]["metrics"]) <= {metric["name"] for metric in listed}


def test_plan_backend_runs_nothing(results):
    words = "run --strategy ring --backend plan --workload pile --tokens 4K --ranks 4".split()
    done, rows = run_json(*words, "--output", results)
    assert done.returncode == 0
    assert rows[0]["metrics"]["wire_bytes"] > 0
    assert "iteration_seconds" not in rows[0]["metrics"]
    assert "counted_bytes" not in rows[0]["metrics"]


def test_options_and_variants(results):
    words = ["run", "--strategy", "flashcp,flashcp:ratio=1.5", "--set", "flashcp.ratio=1.2"]
    _, rows = run_json(*words, "--backend", "plan", *TINY, "--output", results)
    assert [row["options"] for row in rows] == [{"ratio": "1.2"}, {"ratio": "1.5"}]


def test_forward_has_no_gradient(results):
    _, rows = run_json(
        "run", "--strategy", "ring", "--direction", "forward", *TINY, "--output", results
    )
    assert rows[0]["status"] == "ok"
    assert "max_error_gradient" not in rows[0]["metrics"]


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


def test_markdown_shows_names_as_they_are(tmp_path, results):
    planner = tmp_path / "a|b<c>"
    planner.write_text("#!/bin/sh\nexit 1\n")
    planner.chmod(0o755)
    run("run", "--strategy", f"exec:{planner},ring", *TINY, "--output", results)
    for words in (["show", results], ["compare", results, results, "--columns", "wire_bytes"]):
        text = run(*words, "--format", "md").stdout
        assert "a\\|b&lt;c>" in text and "a|b<c>" not in text


def test_narration_is_not_on_standard_output(results):
    done = run("run", "--strategy", "ring", *TINY, "--output", results, "--format", "json")
    json.loads(done.stdout)
    assert "[1/1] ring" in done.stderr
    assert "\r" not in done.stderr and "\x1b" not in done.stderr  # no control codes in a file


def test_an_unsupported_run_does_not_stop_the_others(results):
    words = "run --strategy ulysses,ring --workload fixed:tokens=100 --tokens 256 --ranks 9".split()
    done, rows = run_json(*words, "--backend", "plan", "--output", results)
    assert done.returncode == 0
    assert [row["status"] for row in rows] == ["unsupported", "ok"]
    assert "8" in rows[0]["error"] and "9" in rows[0]["error"]


def test_a_failed_run_does_not_stop_the_others(tmp_path, results):
    planner = executable(tmp_path / "planner", "echo broken >&2\nexit 1\n")
    done, rows = run_json("run", "--strategy", f"exec:{planner},ring", *TINY, "--output", results)
    assert done.returncode == 1
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "broken" in rows[0]["error"]


def test_wrong_external_plan_fails_naming_the_rule(tmp_path, results):
    plan = tmp_path / "plan.json"
    assert run("plan", "--strategy", "ring", *TINY[:-2], "--output", plan).returncode == 0
    wrong = json.loads(plan.read_text())["plan"]
    wrong["forward"]["attends"].pop()
    script = f"cat > /dev/null\necho '{json.dumps(wrong)}'\n"
    planner = executable(tmp_path / "planner", script)
    done, rows = run_json("run", "--strategy", f"exec:{planner}", *TINY, "--output", results)
    assert done.returncode == 1
    assert rows[0]["status"] == "failed" and "P3" in rows[0]["error"]


def test_external_planner_is_timed_by_the_clock(tmp_path, results):
    plan = tmp_path / "plan.json"
    assert run("plan", "--strategy", "ring", *TINY[:-2], "--output", plan).returncode == 0
    right = json.loads(plan.read_text())["plan"]
    script = f"cat > /dev/null\nsleep 0.2\necho '{json.dumps(right)}'\n"
    planner = executable(tmp_path / "planner", script)
    _, rows = run_json("run", "--strategy", f"exec:{planner}", *TINY, "--output", results)
    assert rows[0]["metrics"]["planning_seconds"] >= 0.2


def test_dry_run_writes_nothing(results):
    done, rows = run_json(
        "run", "--strategy", "ring,zigzag", *TINY, "--output", results, "--dry-run"
    )
    assert done.returncode == 0
    assert not results.exists()
    assert all(row["metrics"]["wire_bytes"] > 0 and not row["existed"] for row in rows)
    assert "2 runs, 0 exist already" in done.stderr and "the rest takes" in done.stderr
    run("run", "--strategy", "ring", *TINY, "--output", results)
    _, rows = run_json("run", "--strategy", "ring,zigzag", *TINY, "--output", results, "--dry-run")
    assert [row["existed"] for row in rows] == [True, False]


def test_show_prints_the_command_that_repeats_a_run(results, tmp_path):
    _, rows = run_json("run", "--strategy", "flashcp:ratio=1.3", *TINY, "--output", results)
    shown = run("show", rows[0]["file"])
    assert shown.returncode == 0 and "wire_bytes" in shown.stdout
    command = shlex.split(shown.stdout.split("to repeat:")[1])
    done = subprocess.run(
        [PROGRAM, *command[1:], "--format", "json", "--output", tmp_path / "2"],
        capture_output=True,
        text=True,
    )
    again = json.loads(done.stdout)[0]
    assert again["run_id"] == rows[0]["run_id"]
    assert again["plan_hash"] == rows[0]["plan_hash"]


def test_builds_are_compared_by_that_command(results, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts/ab")
    from launches import repeating_arguments

    _, rows = run_json("run", "--strategy", "flashcp:ratio=1.3", *TINY, "--output", results)
    words = repeating_arguments(run("show", rows[0]["file"]).stdout)
    _, again = run_json("run", *words, "--output", results)
    assert again[0]["existed"] and again[0]["run_id"] == rows[0]["run_id"]


def test_show_folder(results):
    run("run", "--strategy", "ring,zigzag", *TINY, "--output", results)
    shown = run("show", results, "--baseline", "ring")
    assert shown.returncode == 0
    assert "speed / ring" in shown.stdout and "zigzag" in shown.stdout


def test_more_ranks_than_cores_are_warned_of(results):
    words = "run --strategy ring --workload fixed:tokens=100 --tokens 512 --ranks 128".split()
    done, rows = run_json(*words, "--iterations", "1", "--output", results)
    if not rows[0]["oversubscribed"]:
        pytest.skip("128 cores or more")
    assert "mfu" not in rows[0]["metrics"]
    assert "more ranks than this machine's" in done.stderr


def test_a_suite_wins_over_a_folder_of_its_name(tmp_path):
    (tmp_path / "quick").mkdir()
    words = ["run", "quick", *TINY, "--backend", "plan", "--packs", "1", "--dry-run"]
    done, rows = run_json(*words, cwd=tmp_path)
    assert done.returncode == 0 and rows
    done = run("run", "./quick", cwd=tmp_path)
    assert done.returncode == 2 and "cannot read the suite file './quick'" in done.stderr
