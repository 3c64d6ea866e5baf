"""Ranks as processes under mpirun: their results, and ranks that differ, fail or die."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import pytest
from conftest import PROGRAM, TINY, assert_refused, executable, run, run_json

MODULE = Path(PROGRAM).parent / "cpbench_mpi.so"
MPIRUN = shutil.which("mpirun")
needs_mpi = pytest.mark.skipif(
    not (MODULE.exists() and MPIRUN), reason="built without MPI, or no mpirun: see scripts/setup"
)
ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",  # more ranks than cores
}
# Four ranks; float32, because its errors differ wherever the arithmetic differs.
TINY_4 = [{"2": "4", "float64": "float32"}.get(word, word) for word in TINY]
assert "4" in TINY_4 and "float32" in TINY_4


def mpirun(processes, *words):
    command = [MPIRUN, "-np", processes, PROGRAM, *words]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )


def errors_of(done):
    return [x for x in done.stderr.splitlines() if x.startswith("cpbench: error: ")]


def assert_refused_once(done, *parts):
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert len(errors_of(done)) == 1, done.stderr
    for part in parts:
        assert part in errors_of(done)[0], errors_of(done)[0]


def planner(tmp_path, script):
    script = f"cat > {tmp_path}/problem.$OMPI_COMM_WORLD_RANK\n{script}\n"
    return f"exec:{executable(tmp_path / 'planner', script)}"


def plan_file(tmp_path, strategy):
    file = tmp_path / f"{strategy}.json"
    made = run("plan", "--strategy", strategy, *TINY_4[:-2], "--output", file)
    assert made.returncode == 0, made.stderr
    plan = tmp_path / f"{strategy}.plan.json"
    plan.write_text(json.dumps(json.loads(file.read_text())["plan"]))
    return plan


@needs_mpi
def test_processes_compute_what_threads_compute(results):
    words = ["run", "--strategy", "ring,flashcp,ulysses", "--backend", "mpi,threads", *TINY_4]
    done = mpirun(4, *words, "--output", results, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)  # only rank 0 prints
    assert [c["backend"] for c in rows] == ["mpi"] * 3 + ["threads"] * 3
    assert len(list(results.glob("*.h5"))) == 6
    for mpi, threads in zip(rows[:3], rows[3:], strict=True):
        assert mpi["status"] == threads["status"] == "ok", mpi["error"]
        assert mpi["plan_hash"] == threads["plan_hash"]
        for name in ["max_error_output", "max_error_gradient", "counted_bytes", "peak_bytes"]:
            assert mpi["metrics"][name] == threads["metrics"][name], name
        assert mpi["metrics"]["counted_bytes"] == mpi["metrics"]["wire_bytes"] > 0
        assert mpi["metrics"]["max_error_output"] > 0
        assert mpi["metrics"]["iteration_seconds"] > 0
        assert 0 < mpi["metrics"]["communicator_seconds"] < 10
        assert "communicator_seconds" not in threads["metrics"]
    assert done.stderr.count("[1/6]") == 1  # only rank 0 narrates
    shown = run("show", rows[0]["file"]).stdout
    assert "--backend mpi" in shown

    done = mpirun(4, *words, "--output", results, "--format", "json")
    assert all(row["existed"] for row in json.loads(done.stdout)), done.stderr


@needs_mpi
def test_a_communicator_is_created_once_for_each_group(results):
    words = ["run", "--strategy", "flexcp:degree=2", "--backend", "mpi", *TINY_4, "--packs", "2"]
    done = mpirun(4, *words, "--output", results, "--format", "json")
    (row,) = json.loads(done.stdout)
    assert row["metrics"]["communicators"] == 2  # pairs of ranks, in both packs
    with h5py.File(row["file"]) as file:
        first, second = (file[f"pack_{i}/communicator_seconds"][()] for i in range(2))
    assert first > 0 and second == 0
    assert row["metrics"]["communicator_seconds"] == first


def test_without_mpirun_the_right_command_is_named(results):
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMI", "SLURM_"))
    }
    words = ["run", "--backend", "mpi", "--strategy", "ring", *TINY_4]
    done = run(*words, "--output", results, env=environment)
    assert_refused(done, "mpirun -np 4 ", "--strategy ring")
    assert not results.exists()


def test_a_dry_run_needs_no_mpirun(results):
    done, rows = run_json(
        "run", "--backend", "mpi", "--strategy", "ring", *TINY_4, "--output", results, "--dry-run"
    )
    assert done.returncode == 0
    assert rows[0]["backend"] == "mpi" and rows[0]["metrics"]["wire_bytes"] > 0


def test_a_build_without_mpi_names_the_package(tmp_path):
    copy = shutil.copy(PROGRAM, tmp_path)
    done = subprocess.run(
        [copy, "run", "--backend", "mpi", "--strategy", "ring", *TINY_4],
        capture_output=True,
        text=True,
        env={**os.environ, "OMPI_COMM_WORLD_RANK": "0"},
    )
    assert_refused(done, "without MPI", "libopenmpi-dev")


@needs_mpi
def test_another_number_of_processes(results):
    done = mpirun(2, "run", "--backend", "mpi", "--strategy", "ring", *TINY_4, "--output", results)
    assert_refused_once(done, "--ranks 4", "needs 4 processes, not 2", "mpirun -np 4 ")
    assert not results.exists()


@needs_mpi
def test_bad_input_is_reported_once(results):
    done = mpirun(4, "run", "--backend", "mpi", "--strategy", "rign", *TINY_4)
    assert_refused_once(done, "rign", "ring")


@needs_mpi
def test_ranks_that_were_told_different_things(results):
    words = [PROGRAM, "run", "--backend", "mpi", "--strategy", "ring", *TINY_4, "--output", results]
    command = [MPIRUN, "-np", 3, *words, ":", "-np", 1, *words, "--seed", 2]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )
    assert_refused_once(done, "disagree on the hash of the runs", "rank 0 has ", "rank 3 has ")


@needs_mpi
def test_ranks_with_different_plans_are_named_with_their_hashes(tmp_path, results):
    ring, allgather = plan_file(tmp_path, "ring"), plan_file(tmp_path, "allgather")
    strategy = planner(
        tmp_path, f'[ "$OMPI_COMM_WORLD_RANK" = 2 ] && cat {allgather} || cat {ring}'
    )
    done = mpirun(
        4, "run", "--backend", "mpi", "--strategy", strategy, *TINY_4, "--output", results
    )
    assert_refused_once(
        done, "the ranks disagree on the hash of the plan: rank 0 has ", "rank 2 has "
    )
    assert "rank 1" not in errors_of(done)[0] and "rank 3" not in errors_of(done)[0]
    assert not list(results.glob("*.h5"))


@needs_mpi
def test_a_rank_that_fails_is_named_and_the_next_run_starts(tmp_path, results):
    ring = plan_file(tmp_path, "ring")
    strategy = planner(
        tmp_path,
        f'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then echo no luck >&2; exit 1; fi; cat {ring}',
    )
    words = ["run", "--backend", "mpi", "--strategy", f"{strategy},ring", *TINY_4]
    done = mpirun(4, *words, "--output", results, "--format", "json")
    assert done.returncode == 1, done.stderr
    rows = json.loads(done.stdout)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["error"].startswith("rank 1: ") and "no luck" in rows[0]["error"]
    assert len(list(results.glob("*.h5"))) == 2


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.05)


@needs_mpi
@pytest.mark.parametrize("stopped", [0, 2])
def test_a_rank_that_is_stopped_is_named(stopped, tmp_path, results):
    ring = plan_file(tmp_path, "ring")
    strategy = planner(
        tmp_path,
        f'if [ "$OMPI_COMM_WORLD_RANK" = {stopped} ]; then kill -STOP $PPID; fi; cat {ring}',
    )
    words = ["run", "--backend", "mpi", "--strategy", strategy, *TINY_4, "--output", results]
    done = mpirun(4, *words, "--timeout", "3")
    assert done.returncode != 0
    named = [line for line in done.stderr.splitlines() if "does not answer" in line]
    assert named, done.stderr
    for line in named:
        assert f"rank {stopped} does not answer" in line, done.stderr


@needs_mpi
def test_a_rank_that_dies_ends_the_run(tmp_path, results):
    ring, process = plan_file(tmp_path, "ring"), tmp_path / "process"
    strategy = planner(
        tmp_path,
        f'if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then echo $PPID > {process}.new; '
        f"mv {process}.new {process}; sleep 60; fi; cat {ring}",
    )
    words = [PROGRAM, "run", "--backend", "mpi", "--strategy", strategy, *TINY_4]
    # On a busy machine the last message may take longer than the one second that mpirun waits.
    patient = ("--mca", "odls_base_sigkill_timeout", "10")
    command = [MPIRUN, *patient, "-np", "4", *words, "--output", str(results)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as started:
        wait_for(process.exists)
        time.sleep(1)  # until the others wait for rank 2
        killed = time.monotonic()
        os.kill(int(process.read_text()), signal.SIGKILL)
        _, stderr = started.communicate(timeout=60)
    assert time.monotonic() - killed < 30
    assert started.returncode != 0
    assert "rank 2" in stderr and "signal 9" in stderr, stderr
    assert "rank 0, waiting for a message from rank 2; 0 of 1 runs are finished" in stderr, stderr
    assert not list(results.glob("*.h5"))
