"""Parts of a sweep: each runs alone, their folders are merged, and what is missing is known."""

import os
import shutil

import pytest
from conftest import assert_refused, run, run_json

SWEEP = ["run", "--strategy", "ring,allgather,flashcp", "--workload", "pile,wikipedia"]
SWEEP += ["--tokens", "4K", "--backend", "plan"]
TUNED = ["run", "--strategy", "usp,ring", "--workload", "pile", "--tokens", "8K", "--ranks", "4,8"]
TUNED += ["--shape", "llama3_8b", "--backend", "simulate", "--cluster", "h100", "--tune"]


def merge(parts, whole):
    for part in parts:
        shutil.copytree(part, whole, dirs_exist_ok=True)


@pytest.mark.parametrize("words", [SWEEP, TUNED], ids=["sweep", "tuned"])
def test_parts_merge_into_the_whole(words, tmp_path):
    _, rows = run_json(*words, "--output", tmp_path / "whole")
    wanted = {(row["run_id"]) for row in rows}
    parts, found = [], []
    for number in (1, 2, 3):
        parts.append(tmp_path / f"part{number}")
        done, rows = run_json(*words, "--shard", f"{number}/3", "--output", parts[-1])
        assert done.returncode == 0, done.stderr
        found += [row["run_id"] for row in rows]
    assert len(found) == len(set(found)) and set(found) == wanted
    merge(parts[:2], tmp_path / "merged")
    some = run("show", tmp_path / "merged")
    assert some.returncode == 0 and "runs of the sweep are missing: " in some.stderr
    merge(parts[2:], tmp_path / "merged")
    done, shown = run_json("show", tmp_path / "merged")
    assert {row["run_id"] for row in shown} == wanted and "missing" not in done.stderr


def test_what_is_missing_is_counted_and_named(tmp_path):
    run_json(*SWEEP, "--shard", "1/3", "--output", tmp_path)
    err = run("show", tmp_path).stderr
    assert "4 of 6 runs of the sweep are missing: " in err and "-4K-4r-" in err
    assert "and 1 more" in err
    assert run("report", tmp_path).returncode == 0
    assert "4 of 6 runs of the sweep are missing" in (tmp_path / "report.html").read_text()


def test_a_slurm_array_is_a_shard(tmp_path):
    array = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "3"}
    array |= {"SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "3"}
    words = [*SWEEP, "--shard", "slurm", "--output", tmp_path / "array"]
    _, by_array = run_json(*words, env={**os.environ, **array})
    _, by_number = run_json(*SWEEP, "--shard", "3/3", "--output", tmp_path / "number")
    assert [r["run_id"] for r in by_array] == [r["run_id"] for r in by_number]
    assert_refused(run(*words), "SLURM_ARRAY_TASK_ID", "not set")


def test_bad_shards_are_refused(tmp_path):
    folder = tmp_path / "runs"
    for bad in ("0/3", "4/3", "3", "x"):
        done = run(*SWEEP, "--shard", bad, "--output", folder)
        assert_refused(done, f"--shard: '{bad}'", "like 3/8")
    assert_refused(run(*SWEEP, "--shard", "1/3", "--dry-run"), "--dry-run")
    assert not folder.exists()
