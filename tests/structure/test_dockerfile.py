"""The Dockerfile installs what scripts/setup would, and runs commands of the README."""

import re

import pytest
from tree import ROOT

TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL))
SETUP = (ROOT / "scripts/setup").read_text()
IN_BASE_IMAGE = {"cuda": {"ca-certificates"}, "cpu": set()}


def listed(name):
    return set(re.search(rf"^{name}=\((.*?)\)", SETUP, re.MULTILINE | re.DOTALL)[1].split())


def runs(stage):
    return re.findall(r"^RUN (.*)", STAGES[stage], re.MULTILINE)


def test_the_cpu_stage_is_the_default():
    assert list(STAGES) == ["cuda", "cpu"]


@pytest.mark.parametrize("stage", STAGES)
def test_packages_are_those_of_setup(stage):
    (install,) = (line for line in runs(stage) if "apt-get install" in line)
    words = install.split("apt-get install")[1].split("&&")[0].split()
    packages = [word for word in words if not word.startswith("-")]
    assert len(packages) == len(set(packages))
    wanted = listed("required") | listed("optional") | {"python3-venv", "ca-certificates"}
    assert set(packages) == wanted - IN_BASE_IMAGE[stage]


def test_torch_is_the_pinned_one():
    pinned = re.search(r"^torch==\S+", (ROOT / "scripts/requirements-torch.txt").read_text(), re.M)
    assert pinned[0] in STAGES["cuda"]


@pytest.mark.parametrize("stage", STAGES)
def test_it_builds_with_the_scripts_and_runs_commands_of_the_readme(stage):
    readme = (ROOT / "README.md").read_text()
    lines = runs(stage)
    assert any(line.startswith("scripts/setup && scripts/build") for line in lines)
    commands = [line for line in lines if line.startswith("build/cpbench")]
    assert commands
    assert all(command in readme for command in commands)
    assert 'ENTRYPOINT ["build/cpbench"]' in STAGES[stage]


def test_the_comment_on_top_names_stages_and_commands_that_exist():
    comment = "\n".join(line for line in TEXT.splitlines() if line.startswith("#"))
    assert set(re.findall(r"--target (\w+)", comment)) <= set(STAGES)
    assert all((ROOT / path).exists() for path in re.findall(r"--entrypoint (\S+)", comment))
