"""Sweeps that are resumed or interrupted, or that fill the disk."""

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import PROGRAM, TINY, executable, run_json, start

SWEEP = ["run", "--strategy", "ring,allgather,zigzag", *TINY]


def leftovers(folder):
    return [file for file in os.listdir(folder) if not file.endswith(".h5")]


def test_finished_runs_are_not_repeated(results):
    _, first = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    written = os.stat(first[0]["file"]).st_mtime_ns
    done, rows = run_json(*SWEEP, "--output", results)
    assert done.returncode == 0
    assert [row["existed"] for row in rows] == [True, False, False]
    assert os.stat(first[0]["file"]).st_mtime_ns == written
    assert rows[0]["metrics"] == first[0]["metrics"]
    assert "[1/2] allgather" in done.stderr and "1 of them from an earlier sweep" in done.stderr


def test_plans_are_made_at_the_same_time_and_come_in_order(results):
    words = ("run", "--strategy", "ring,flashcp,fcp", "--workload", "pile", "--tokens", "4K")
    seeds = list(range(1, 13))
    words += ("--backend", "plan", "--seed", ",".join(map(str, seeds)), "--output", results)
    done, rows = run_json(*words)
    assert done.returncode == 0, done.stderr
    wanted = [(strategy, seed) for seed in seeds for strategy in ("ring", "flashcp", "fcp")]
    assert [(row["strategy"], row["seed"]) for row in rows] == wanted
    assert all(row["status"] == "ok" for row in rows) and "[ 1/36] ring" in done.stderr
    _, again = run_json(*words)
    assert [c["plan_hash"] for c in again] == [c["plan_hash"] for c in rows]
    assert all(row["existed"] for row in again)


def test_run_of_a_damaged_file_is_repeated(results):
    _, rows = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    with open(rows[0]["file"], "r+b") as file:
        file.truncate(100)
    done, rows = run_json("run", "--strategy", "ring", *TINY, "--output", results)
    assert done.returncode == 0 and not rows[0]["existed"] and rows[0]["status"] == "ok"
    assert "warning" in done.stderr and "the run is repeated" in done.stderr


def test_run_with_a_changed_length_file_is_repeated(tmp_path, results):
    lengths = tmp_path / "lengths.txt"
    words = "run --strategy ring --backend plan --tokens 256 --workload".split()
    words += [lengths, "--output", results]
    lengths.write_text("100\n")
    run_json(*words)
    assert run_json(*words)[1][0]["existed"]
    lengths.write_text("50\n")
    assert not run_json(*words)[1][0]["existed"]


def test_failed_run_is_repeated(tmp_path, results):
    planner = executable(tmp_path / "planner", "exit 1\n")
    words = ["run", "--strategy", f"exec:{planner}", *TINY, "--output", results]
    assert run_json(*words)[1][0]["status"] == "failed"
    assert not run_json(*words)[1][0]["existed"]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_finished_runs(number, results):
    # The second run takes minutes: the signal comes during it.
    words = "run --strategy ring --workload fixed:tokens=512 --tokens 512 --ranks 2".split()
    words += ["--output", results, "--iterations"]
    process = start(*words, "1,1000000")
    wait_for(lambda: results.exists() and any(f.endswith(".h5") for f in os.listdir(results)))
    time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted: 1 of 2 runs are finished" in err
    assert "resume with: " in err and "--iterations 1,1000000" in err
    assert len(os.listdir(results)) == 1 and not leftovers(results)
    _, rows = run_json(*words, "1")
    assert rows[0]["existed"]


def opened(process, path):
    """Whether the process has the file open."""
    try:
        return any(file.samefile(path) for file in Path(f"/proc/{process.pid}/fd").iterdir())
    except FileNotFoundError:  # it has just closed one
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_first_run_says_how_to_resume(number, tmp_path, results):
    lengths = tmp_path / "lengths.txt"
    lengths.write_text("100\n" * 5_000_000)  # takes a second to read
    words = ["run", "--strategy", "ring", "--workload", str(lengths), "--tokens", "256"]
    process = start(*words, "--output", results)
    while not opened(process, lengths):
        assert process.poll() is None, process.communicate()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert f"cpbench: interrupted: resume with: {PROGRAM} run --strategy ring" in err


def test_disk_full_ends_the_sweep_with_one_line(results):
    # A limit on the file size has the same effect as a full disk: the write fails halfway.
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [PROGRAM, *SWEEP, "--output", str(results)],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        restore_signals=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("cpbench: error: ") and str(results) in last and "File too large" in last
    assert os.listdir(results) == []


def test_really_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a small disk")
    try:
        done = subprocess.run(
            [PROGRAM, *SWEEP, "--output", str(disk)], capture_output=True, text=True
        )
        assert done.returncode == 2
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert os.listdir(disk) == []
    finally:
        subprocess.run(["umount", disk], check=True)
