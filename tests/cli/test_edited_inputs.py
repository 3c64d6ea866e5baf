"""A run is known by the contents of the files that it reads, not by their names."""

import json
import os
import shutil

import pytest
from conftest import ROOT, TINY, run, run_json

MACHINES = ROOT / "harness" / "machines"
# Each flag, the file that it names, and an edit that leaves the name as it is.
FILES = [
    ("--cluster", MACHINES / "clusters" / "h100.toml", "= 989.5", "= 900"),
    ("--kernel", MACHINES / "kernels" / "fa2_h100.toml", "= 53.18", "= 54"),
    ("--profile", MACHINES / "profiles" / "flashcp-paper.toml", "= 2.96", "= 3"),
    ("--shape", ROOT / "workloads" / "shapes" / "llama3_8b.toml", "= 14336", "= 14000"),
    ("--workload", None, "100", "50"),
]
PLANNER = "#!/bin/sh\ncat > /dev/null\ncat {plan}\n"


def existed(*words):
    done, rows = run_json(*words)
    assert rows[0]["status"] == "ok", rows[0]["error"]
    assert f"{int(rows[0]['existed'])} of them from an earlier sweep" in done.stderr
    return rows[0]["existed"]


@pytest.mark.parametrize(("flag", "shipped", "old", "new"), FILES, ids=[row[0] for row in FILES])
def test_an_edited_file_is_another_run(flag, shipped, old, new, tmp_path, results):
    file = tmp_path / f"mine{shipped.suffix if shipped else '.txt'}"
    if shipped:
        shutil.copy(shipped, file)
    else:
        file.write_text("100\n")
    words = {"--strategy": "ring", "--workload": "fixed:tokens=100", "--tokens": "256"}
    words |= {"--ranks": "2", "--backend": "simulate", "--cluster": "h100", "--output": results}
    words |= {flag: file}
    command = ["run", *(word for pair in words.items() for word in pair)]
    assert not existed(*command)
    assert existed(*command)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert not existed(*command)


def plan_of(strategy, folder):
    file = folder / f"{strategy}.json"
    made = run("plan", "--strategy", strategy, *TINY[:-2], "--output", file)
    assert made.returncode == 0, made.stderr
    file.write_text(json.dumps(json.loads(file.read_text())["plan"]))
    return file


@pytest.mark.parametrize("on_path", [False, True])
def test_an_edited_planner_is_another_run(on_path, tmp_path, results):
    planner = tmp_path / "my_planner"
    name = planner.name if on_path else planner
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    hashes = []
    for strategy, again in [("ring", False), ("ring", True), ("allgather", False)]:
        planner.write_text(PLANNER.format(plan=plan_of(strategy, tmp_path)))
        planner.chmod(0o755)
        words = ["run", "--strategy", f"exec:{name}", *TINY, "--output", results]
        _, rows = run_json(*words, env=environment)
        assert rows[0]["status"] == "ok", rows[0]["error"]
        assert rows[0]["existed"] == again
        hashes.append(rows[0]["plan_hash"])
    assert hashes[0] == hashes[1] != hashes[2]
