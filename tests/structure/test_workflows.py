"""The workflows of continuous integration are valid, and the scripts that they run exist."""

import os
import re
import subprocess

import pytest
import yaml
from tree import ROOT, own_files

FILES = own_files(".github/workflows/*.yml")
JOBS = [
    (file, name, job)
    for file in FILES
    for name, job in yaml.safe_load((ROOT / file).read_text())["jobs"].items()
]
IDS = [f"{file.stem}.{name}" for file, name, _ in JOBS]


def test_there_is_a_job_with_and_one_without_a_gpu():
    runners = [job["runs-on"] for _, _, job in JOBS]
    assert ["self-hosted", "gpu"] in runners
    assert any(isinstance(runner, str) for runner in runners)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_workflow_says_when_it_runs_and_asks_for_little(file):
    workflow = yaml.safe_load((ROOT / file).read_text())
    assert workflow["name"] == file.stem
    assert workflow.get("on", workflow.get(True))  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=IDS)
def test_a_job_ends_and_keeps_what_it_made(file, name, job):
    assert job["timeout-minutes"] > 0
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step), step
    last = job["steps"][-1]
    assert last["uses"].startswith("actions/upload-artifact@")
    assert last["if"] == "always()"


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=IDS)
def test_what_a_job_runs_exists(file, name, job):
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    assert scripts
    for script in scripts:
        for path in re.findall(r"(?:^|(?<=[\s/]))((?:scripts|\.ci)/\w+)", script):
            assert os.access(ROOT / path, os.X_OK), f"{file}: {path} cannot be run"
        # The values of expressions do not affect the syntax.
        plain = re.sub(r"\$\{\{.*?\}\}", "x", script)
        parsed = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True)
        assert parsed.returncode == 0, parsed.stderr


def test_the_gates_are_run_on_the_gpu_runner():
    runs = [
        step.get("run", "")
        for _, _, job in JOBS
        if job["runs-on"] == ["self-hosted", "gpu"]
        for step in job["steps"]
    ]
    assert any("scripts/regression_exact" in run for run in runs)
    assert any("scripts/gpu_check" in run for run in runs)
    assert any(re.search(r"scripts/regression .*--strict", run) for run in runs)
