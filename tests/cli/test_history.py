"""history: times are kept from commit to commit, and a change is found where one was made."""

import shutil

import h5py
import numpy as np
import pytest
from conftest import TINY, assert_refused, run, run_json

STEP = 25  # the measurement from which the run is slower
COUNT = 40


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    words = ["run", "--strategy", "ring", *TINY]
    words[words.index("--iterations") + 1] = "6"
    _, rows = run_json(*words, "--output", folder)
    return rows[0]["file"]


@pytest.fixture(scope="module")
def history(measured, tmp_path_factory):
    """40 measurements of one run with 1% of noise, and 5% slower from the 26th on."""
    folder = tmp_path_factory.mktemp("history")
    noise = np.random.default_rng(1).normal(1, 0.01, COUNT)
    for i in range(COUNT):
        (folder / f"runs{i}").mkdir()
        copy = folder / f"runs{i}" / "run.h5"
        shutil.copy(measured, copy)
        seconds = noise[i] * (1 if i < STEP else 1.05)
        with h5py.File(copy, "r+") as file:
            for name in ("iteration_seconds", "iteration_seconds_low", "iteration_seconds_high"):
                file["metrics"][name][()] = seconds
            file["provenance"].attrs["git_sha"] = f"{i:040x}"
            file["provenance"].attrs["git_dirty"] = "no"
            file["provenance"].attrs["start_utc"] = f"2026-11-30T10:{i:02}:00Z"
        done = run("history", "add", copy.parent, "--file", folder / "history.h5")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "1 runs added" in done.stderr
    return folder


def test_the_change_is_found_where_it_was_made(history):
    done, series = run_json("history", "show", "--file", history / "history.h5")
    assert done.returncode == 0
    (one,) = series
    assert (
        one["words"].startswith("ring, workload fixed:tokens=100") and len(one["points"]) == COUNT
    )
    (change,) = one["changes"]
    assert change["at"] == STEP
    assert change["after_seconds"] / change["before_seconds"] == pytest.approx(1.05, abs=0.01)
    assert one["points"][STEP]["commit"] == f"{STEP:040x}"
    table = run("history", "show", "--file", history / "history.h5").stdout
    assert "at 0000000000, 2026-11-30" in table and "+5." in table or "+4." in table


def test_the_page_draws_the_series(history, tmp_path):
    page = tmp_path / "page.html"
    done = run("history", "show", "--file", history / "history.h5", "--page", page)
    assert (done.returncode, done.stdout) == (0, f"{page}\n"), done.stderr
    text = page.read_text()
    assert text.count("<svg") == 1 and "http" not in text.replace("http://www.w3.org", "")
    # What holds for all runs is there once, so that the table is narrow.
    assert text.count("dtype float64") == 1 and "<td>ring</td>" in text


def test_hosts_that_come_and_go_can_be_one_machine(history, tmp_path):
    file = tmp_path / "history.h5"
    machines = []
    for i, host in enumerate(("one", "two")):
        with h5py.File(history / f"runs{i}/run.h5", "r+") as run_file:
            run_file["provenance"].attrs["machine"] = host
        assert run("history", "add", history / f"runs{i}", "--file", file).returncode == 0
        assert (
            run("history", "add", history / f"runs{i + 2}", "--file", file, "--any-host").returncode
            == 0
        )
        _, series = run_json("history", "show", "--file", file)
        machines.append({one["machine"]: len(one["points"]) for one in series})
    assert machines[0]["one"] == 1 and machines[1]["two"] == 1
    assert sorted(machines[1].values()) == [1, 1, 2]


def test_a_measurement_is_added_once(history, tmp_path):
    file = tmp_path / "history.h5"
    shutil.copy(history / "history.h5", file)
    done = run("history", "add", history / "runs0", "--file", file)
    assert done.returncode == 0 and "0 runs added" in done.stderr
    assert "1 were there already" in done.stderr


def test_the_folder_of_a_new_history_is_made(history, tmp_path):
    # As for the default, results/history.h5, in a folder where nothing was run yet.
    done = run("history", "add", history / "runs0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/history.h5").exists()


def test_bad_histories_are_refused(measured, history, tmp_path):
    file = tmp_path / "history.h5"
    assert_refused(run("history", "show", "--file", file), str(file))
    assert_refused(run("history", "show", "--file", measured), "is no history")
    assert_refused(run("show", history / "history.h5"), "is a history")
    assert_refused(run("history", "add", "--file", file), "needs a folder")
    assert_refused(run("history", "forget"), "add or show")
    plans = tmp_path / "plans"
    run_json("run", "--strategy", "ring", "--workload", "pile", "--backend", "plan",
             "--output", plans)  # fmt: skip
    assert_refused(run("history", "add", plans, "--file", file), "no measured runs")
    assert not file.exists()
