"""Sweeps that are killed, or that share a folder, leave whole files and the right table.

CPBENCH_KILLS=60 kills more often than the few times of an ordinary run.
"""

import csv
import io
import os
import random
import shutil
import subprocess
import time

import h5py
from conftest import PROGRAM, run, start

KILLS = int(os.environ.get("CPBENCH_KILLS", "3"))
RUNS = 24
SWEEP = ["run", "--strategy", "ring,flashcp,fcp", "--backend", "plan", "--workload", "pile",
         "--tokens", "4K", "--ranks", "4", "--seed", "1,2,3,4,5,6,7,8",
         "--format", "csv"]  # fmt: skip


def table(text, folder):
    """The rows of a CSV table, without what differs from sweep to sweep."""
    assert text.count(str(folder)) in (0, RUNS)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == RUNS
    changing = [n for n in rows[0] if n.endswith("_seconds") or n in ("file", "existed")]
    return [{n: value for n, value in row.items() if n not in changing} for row in rows]


def assert_whole(folder):
    for file in folder.glob("*.h5"):
        with h5py.File(file) as opened:
            opened.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)


def undisturbed(folder):
    begin = time.monotonic()
    done = run(*SWEEP, "--output", folder)
    assert done.returncode == 0, done.stderr
    return table(done.stdout, folder), time.monotonic() - begin


def test_killed_sweeps_resume(tmp_path, results):
    expected, seconds = undisturbed(tmp_path / "undisturbed")
    moments = random.Random(7)
    killed = 0
    while killed < KILLS:
        with start(*SWEEP, "--output", results) as process:
            try:
                process.communicate(timeout=moments.uniform(0, seconds))
                shutil.rmtree(results)  # it was too late: nothing is left to do
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
        assert_whole(results)
    done = run(*SWEEP, "--output", results)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert table(done.stdout, results) == expected
    assert len(list(results.glob("*.h5"))) == RUNS == len(os.listdir(results))


def test_two_sweeps_into_one_folder(tmp_path, results):
    expected, _ = undisturbed(tmp_path / "undisturbed")
    command = [PROGRAM, *SWEEP, "--output", str(results)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert table(out, results) == expected
    assert_whole(results)
    assert len(list(results.glob("*.h5"))) == RUNS == len(os.listdir(results))
