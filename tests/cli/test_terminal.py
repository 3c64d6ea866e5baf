"""What a terminal shows: no line is wider than it, and what is left out is named."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import unicodedata

import pytest
from conftest import PROGRAM, ROOT, TINY, assert_refused, executable, run, run_json
from test_list_and_help import COMMANDS, KINDS

WIDTHS = [80, 120]
SIMULATE = [
    *("run", "--strategy", "ring,allgather,flashcp:ratio=1.2,usp", "--workload", "pile,wlb_llm"),
    *("--tokens", "16K", "--ranks", "16", "--backend", "simulate", "--cluster", "h100"),
]


def show_at(width, *words, **environment):
    """Standard output of the program on a terminal of so many columns, as lines."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [PROGRAM, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=inherited | environment,
    ) as process:
        os.close(follower)
        text = b""
        try:
            while piece := os.read(leader, 1 << 16):
                text += piece
        except OSError:  # the end of a terminal
            pass
        errors = process.stderr.read().decode()
    os.close(leader)
    assert process.returncode == 0, errors
    return text.decode().replace("\r\n", "\n").splitlines()


def columns_of(text):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def assert_fits(width, *words):
    lines = show_at(width, *words)
    assert lines
    for line in lines:
        assert columns_of(line) <= width, line
    return "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    assert run(*SIMULATE, "--output", folder).returncode == 0
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_lists(kind):
    assert assert_fits(120, "list", kind).startswith("name")
    heading, first, *_ = assert_fits(80, "list", kind).splitlines()
    name = first.split()[0]
    assert heading.startswith("name")
    assert assert_fits(80, "list", kind, name).split()[:2] == ["name", name]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    assert_fits(80, command, "--help")


@pytest.mark.parametrize("width", WIDTHS)
def test_sweeps(width, folder, results):
    text = assert_fits(width, *SIMULATE, "--output", folder)
    assert "strategy" in text and "inter-node" in text  # on 2 nodes
    assert "Not shown: " in text and "--wide" in text
    assert_fits(width, "run", "--strategy", "all", *TINY, "--backend", "plan", "--output", results)
    assert_fits(width, "run", "--strategy", "ring", *TINY, "--output", results)


@pytest.mark.parametrize("width", WIDTHS)
def test_results(width, folder, results):
    assert_fits(width, "show", folder)
    text = assert_fits(width, "show", next(folder.glob("flashcp*.h5")))
    assert "iteration_seconds" in text and " us" in text and " MB" in text
    run(*SIMULATE, "--profile", "flashcp-paper", "--output", results)
    text = assert_fits(width, "compare", folder, results)
    assert "time A" in text and "B/A" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_rest(width, tmp_path):
    words = ["--strategy", "fcp", "--workload", "pile", "--tokens", "128K", "--ranks", "8"]
    text = assert_fits(width, "plan", *words)
    assert " TFLOP\n" in text and " MB\n" in text
    assert_fits(width, "workload", "pile", "--packs", "2")
    assert_fits(width, "doctor")
    assert_fits(width, "doctor", "--cluster", "gb200_nvl72")
    data = ROOT / "results/calibration/cudnn_h200.csv"
    output = os.path.relpath(tmp_path / "model.toml")
    text = assert_fits(width, "calibrate", data, "--cluster", "h200", "--output", output)
    assert "5.2%" in text and "Not shown: " in text


def test_columns_can_be_chosen_and_all_can_be_seen(folder):
    at_80 = show_at(80, "show", folder)
    wide = show_at(80, "show", folder, "--wide")
    assert max(map(len, wide)) > 120 and "Not shown" not in "\n".join(wide)
    assert wide == run("show", folder).stdout.splitlines()
    assert show_at(200, "show", folder, COLUMNS="80") == at_80
    chosen = run("show", folder, "--columns", "workload,compile_seconds,MFU").stdout
    heading = next(line for line in chosen.splitlines() if line.startswith("strategy"))
    assert heading.split() == ["strategy", "workload", "compile_seconds", "MFU"]
    assert "| strategy | mfu |" not in chosen
    markdown = run("show", folder, "--columns", "tokens", "--format", "md").stdout
    assert "| strategy | tokens |" in markdown
    assert_refused(run("show", folder, "--columns", "mfuu"), "--columns", "did you mean 'mfu'?")
    done = run("show", folder, "--columns", "mfu", "--format", "csv")
    assert_refused(done, "--columns", "csv")
    compared = run("compare", folder, folder, "--columns", "steps").stdout
    assert "steps A simulated  steps B simulated     B/A" in compared


def test_bad_columns_are_refused_before_anything_runs(results):
    done = run("run", "--strategy", "ring", *TINY, "--columns", "tim", "--output", results)
    assert_refused(done, "--columns", "'tim'")
    assert not list(results.glob("*.h5"))


def test_one_name_of_a_list():
    text = run("list", "strategies", "flashcp").stdout
    assert "unsupported when" in text and "ratio" in text and "zigzag" not in text
    _, rows = run_json("list", "strategies", "flashcp")
    assert rows == [row for row in run_json("list", "strategies")[1] if row["name"] == "flashcp"]
    done = run("list", "strategies", "flashpc")
    assert_refused(done, "unknown strategy 'flashpc'; did you mean 'flashcp'?")
    assert_refused(run("list", "clusters", "h10"), "unknown cluster 'h10'", "'h100'")


def test_runs_that_fail_alike_share_one_line(tmp_path):
    planner = executable(tmp_path / "planner", "echo no luck >&2\nexit 1\n")
    words = ["run", "--strategy", f"exec:{planner}", *TINY, "--seed", "1,2", "--backend", "plan"]
    done = run(*words, "--output", tmp_path / "runs")
    heading, empty, line = done.stdout.splitlines()
    assert "tokens 256" in heading and empty == ""
    assert line.startswith(f"failed, all 2 runs (exec:{planner}, seed 1; exec:{planner}, seed 2): ")
    assert "no luck" in line
