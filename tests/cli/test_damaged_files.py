"""Files that are damaged, or made to do harm: one line, no crash, no large allocation."""

import json
import resource
import shutil
import subprocess

import h5py
import pytest
from conftest import PROGRAM, assert_refused, run, run_json

PLAN_ONLY = ["run", "--strategy", "ring,allgather", "--workload", "fixed:tokens=100",
             "--tokens", "256", "--ranks", "2", "--backend", "plan"]  # fmt: skip


@pytest.fixture
def folder(results):
    """Results of ring and allgather."""
    assert run(*PLAN_ONLY, "--output", results).returncode == 0
    return results


def file_of(folder, strategy):
    return next(folder.glob(f"{strategy}-*.h5"))


def flip(path, byte):
    data = bytearray(path.read_bytes())
    data[byte] ^= 64
    path.write_bytes(data)


def drop_checksum(path):
    data = path.read_bytes()
    at = data.rindex(b"\ncpbench crc32 ")
    path.write_bytes(data[:at])
    return at


def warnings(done):
    return [line for line in done.stderr.splitlines() if "warning" in line]


@pytest.mark.parametrize("checksum", [True, False])
def test_a_damaged_file_is_named_and_left_out(folder, tmp_path, checksum):
    file = file_of(folder, "ring")
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    if not checksum:
        drop_checksum(file)
    flip(file, 10)  # in the superblock
    for words in (["show", folder], ["compare", folder, whole], ["report", folder]):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert len(warnings(done)) == 1 and file.name in warnings(done)[0], done.stderr
    _, rows = run_json("show", folder)
    assert [row["strategy"] for row in rows] == ["allgather"]
    assert_refused(run("show", file), file.name)
    done, rows = run_json(*PLAN_ONLY, "--output", folder)
    assert [row["existed"] for row in rows] == [False, True]
    assert file.name in warnings(done)[0] and "the run is repeated" in warnings(done)[0]


def test_a_folder_of_damaged_files_only_is_an_error(folder):
    for file in folder.glob("*.h5"):
        file.write_bytes(b"rubbish")
    done = run("show", folder)
    assert_refused(done, str(folder), "no result file (.h5) in this folder can be read")
    assert len(warnings(done)) == 2


# The HDF5 library crashes on some of these.
def test_flipped_bits_without_a_checksum_crash_nothing(folder):
    file = file_of(folder, "ring")
    end = drop_checksum(file)
    data = file.read_bytes()
    for i in range(12):
        copy = file.with_name(f"copy{i}.h5")
        copy.write_bytes(data)
        flip(copy, end * i // 12 + i)
    done = run("show", folder)
    assert done.returncode == 0 and len(warnings(done)) == len(done.stderr.splitlines())
    for i in range(0, 12, 4):
        assert run("check", file.with_name(f"copy{i}.h5")).returncode in (0, 1, 2)


def test_other_programs_read_and_change_files_with_a_checksum(folder):
    file = file_of(folder, "ring")
    with h5py.File(file) as opened:
        assert opened.attrs["strategy"] == b"ring"
    with h5py.File(file, "r+") as opened:
        opened.attrs["note"] = "added"
    assert b"cpbench crc32" not in file.read_bytes()
    done, rows = run_json("show", folder)
    assert len(rows) == 2 and not warnings(done)


@pytest.fixture
def plan(tmp_path):
    """A correct plan as a JSON document."""
    file = tmp_path / "plan.json"
    words = ["--strategy", "ring", "--workload", "fixed:tokens=8", "--tokens", "16", "--ranks", "2"]
    assert run("plan", *words, "--output", file).returncode == 0
    return json.loads(file.read_text())


def check_in_little_memory(path):
    """`cpbench check` with 1 GB of address space."""
    gigabyte = 1 << 30
    return subprocess.run(
        [PROGRAM, "check", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (gigabyte, gigabyte)),
    )


@pytest.mark.parametrize("step", [10**8, 10**9, 2**31 - 1])
def test_memory_does_not_grow_with_the_step_number(plan, tmp_path, step):
    for pass_ in ("forward", "backward"):
        plan["plan"][pass_]["sends"][-1][0] = step
    (tmp_path / "far.json").write_text(json.dumps(plan))
    done = check_in_little_memory(tmp_path / "far.json")
    assert done.returncode == 1 and "P1 forward" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "change, parts",
    [
        (lambda p: p["plan"]["forward"]["sends"][0].__setitem__(0, 2**32), ["sends[0][0]"]),
        (
            lambda p: p["problem"]["batch"].update(document_lengths=[2**60]),
            ["document_lengths[0] is 1152921504606846976; must be from 0 to 2147483648"],
        ),
        (lambda p: p["problem"]["cluster"].update(nodes=2**20), ["nodes is 1048576", "65536"]),
        (lambda p: p["problem"]["shape"].update(head_dim=2**30), ["head_dim", "16384"]),
    ],
)
def test_numbers_out_of_range_are_refused(plan, tmp_path, change, parts):
    change(plan)
    (tmp_path / "bad.json").write_text(json.dumps(plan))
    assert_refused(check_in_little_memory(tmp_path / "bad.json"), "bad.json", *parts)


def test_deep_json_of_a_file_and_of_a_planner_is_refused(tmp_path, results):
    file = tmp_path / "deep.json"
    file.write_text('{"kind": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert_refused(run("check", file), "deep.json", "nested in more than 32 levels")
    planner = tmp_path / "planner"
    planner.write_text(f"#!/bin/sh\ncat {file}\n")
    planner.chmod(0o755)
    words = ["run", "--strategy", f"exec:{planner},ring", *PLAN_ONLY[3:], "--output", results]
    _, rows = run_json(*words)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "nested in more than 32 levels" in rows[0]["error"]


def test_a_key_that_is_there_twice_is_refused(plan, tmp_path):
    text = json.dumps(plan).replace('"ranks": 2', '"ranks": 2, "ranks": 4')
    (tmp_path / "twice.json").write_text(text)
    assert_refused(run("check", tmp_path / "twice.json"), "has the key 'ranks' twice")


def test_a_dataset_larger_than_the_file_can_hold_is_refused(tmp_path):
    file = tmp_path / "plan.h5"
    words = ["--strategy", "ring", "--workload", "fixed:tokens=8", "--tokens", "16", "--ranks", "2"]
    assert run("plan", *words, "--output", file).returncode == 0
    with h5py.File(file, "r+") as opened:
        del opened["plan/home"]
        opened.create_dataset("plan/home", shape=(800_000_000,), dtype="int64", chunks=(1024,))
    assert_refused(check_in_little_memory(file), "plan.h5", "/plan/home", "can hold")
