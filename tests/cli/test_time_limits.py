"""Planners and solvers that hang or die fail their run, and the next one starts."""

import os
import time

from conftest import TINY, run_json

LONG_SEARCH = "flashcp:solver=exact,granularity=32,ratio=1.0"


def planner(tmp_path, script):
    file = tmp_path / "planner"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"exec:{file}"


def is_running(file):
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_a_planner_that_hangs_ends_with_its_children(tmp_path, results):
    child = tmp_path / "child"
    strategy = planner(tmp_path, f"sleep 600 & echo $! > {child}; exec >&-; wait")
    done, rows = run_json(
        "run", "--strategy", f"{strategy},ring", *TINY, "--timeout", "2", "--output", results
    )
    assert done.returncode == 1
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["error"] == f"{strategy} did not end within 2 s"
    end = time.monotonic() + 20
    while is_running(child):  # until init has waited for it
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_solver_that_hangs_fails_its_run(results):
    words = ["run", "--backend", "plan", "--workload", "fixed:tokens=50", "--tokens", "695"]
    words += ["--ranks", "5", "--output", results]
    done, rows = run_json(*words, "--strategy", f"{LONG_SEARCH},ring", "--timeout", "1")
    assert done.returncode == 1
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["error"] == "the solver of flashcp did not end within 1 s"
    done, rows = run_json(*words, "--strategy", f"{LONG_SEARCH},seconds=0.5")
    assert [row["status"] for row in rows] == ["unsupported"]
    assert "no proof within 0.5 s for units of 32 tokens; raise seconds" in rows[0]["error"]


def test_words_of_a_planner_do_not_control_the_terminal(tmp_path, results):
    strategy = planner(tmp_path, "printf '\\033[2Jcleared\\a\\n' >&2; exit 1")
    done, rows = run_json("run", "--strategy", strategy, *TINY, "--output", results)
    assert rows[0]["error"] == f"{strategy} ended with exit status 1: \\x1b[2Jcleared\\x07"
    assert "\x1b" not in done.stderr + done.stdout
