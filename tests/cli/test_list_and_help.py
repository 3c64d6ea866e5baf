"""list, help, completion and workload, which all follow from the registries."""

import subprocess

import pytest
from conftest import PROGRAM, run, run_json

KINDS = (
    "strategies options workloads distributions packing shapes clusters profiles metrics "
    "suites parameters backends kernels masks dtypes directions formats"
).split()
COMMANDS = (
    "run recommend plan check show compare trace history export report reproduce list workload "
    "doctor calibrate completion"
).split()


@pytest.mark.parametrize("kind", KINDS)
def test_list(kind):
    done, rows = run_json("list", kind)
    assert done.returncode == 0 and rows
    names = [row["name"] for row in rows]
    assert all(names) and len(set(names)) == len(names)
    assert run("list", kind).stdout.splitlines()[0].split()[0] == "name"


def test_strategies_are_there():
    _, rows = run_json("list", "strategies")
    assert {"flashcp", "ring", "zigzag", "allgather", "per_doc", "ulysses"} <= {
        row["name"] for row in rows
    }


def test_kernels_that_run_have_different_sources():
    _, rows = run_json("list", "kernels")
    sources = [row["source"] for row in rows if row["backend"] != "simulate"]
    assert len(sources) >= 5 and len(set(sources)) == len(sources)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_opens_with_examples(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Examples:\n  ")
    assert f"cpbench {command}" in done.stdout


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0 and all(f"  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_names_what_there_is(shell):
    script = run("completion", shell).stdout
    for word in ["zigzag", "--strategy", "quick", "flashcp.ratio="]:
        assert word in script
    assert ("bashcompinit" in script) == (shell == "zsh")


def complete(*words):
    script = (
        'source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_cpbench; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return subprocess.run(
        ["bash", "-c", script, PROGRAM, *words], capture_output=True, text=True, check=True
    ).stdout.split()


def test_completion_works_in_bash():
    assert complete("cpbench", "compl") == ["completion"]
    assert complete("cpbench", "run", "--strategy", "zig") == ["zigzag"]
    assert complete("cpbench", "run", "--strategy", "ring,zig") == ["ring,zigzag"]
    assert complete("cpbench", "list", "metr") == ["metrics"]
    assert complete("cpbench", "run", "--stra") == ["--strategy"]


def test_workload():
    done, data = run_json("workload", "pile", "--tokens", "4K", "--packs", "3")
    assert data["name"] == "pile" and len(data["packs"]) == 3
    assert sum(bin["documents"] for bin in data["bins"]) == data["documents"]
    assert all(pack["tokens"] == 4096 for pack in data["packs"])
    assert [q["share"] for q in data["quantiles"]] == sorted(q["share"] for q in data["quantiles"])
    text = run("workload", "pile", "--tokens", "4K", "--packs", "3").stdout
    assert "quantile" in text and "sum of squares" in text and "####" in text
