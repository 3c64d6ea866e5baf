"""Bad input gives exit code 2 and one line that says what is wrong and what is accepted."""

import subprocess

import pytest
from conftest import PROGRAM, TINY, assert_refused, run

RUN = ["run", "--strategy", "ring", *TINY]


def with_flag(flag, value):
    words = list(RUN)
    if flag in words:
        words[words.index(flag) + 1] = value
        return words
    return [*words, flag, value]


@pytest.mark.parametrize(
    "words, parts",
    [
        (["runn"], ["unknown command 'runn'", "did you mean 'run'"]),
        ([], ["no command", "run", "list"]),
        (["run", "--strategi", "ring"], ["unknown flag '--strategi'", "did you mean '--strategy'"]),
        (["run"], ["no strategy is given"]),
        (["run", "--strategy", "ring"], ["no workload is given"]),
        (["list", "strategy"], ["unknown kind 'strategy'", "strategies"]),
        (["list", "metrics", "--format", "jsn"], ["--format", "'jsn'", "'json'"]),
        (["completion", "fish"], ["unknown shell 'fish'"]),
        (["run", "quik"], ["unknown suite 'quik'", "did you mean 'quick'"]),
        (["run", "nowhere/quick.toml"], ["cannot read the suite file", "nowhere/quick.toml"]),
        (["show", "nowhere"], ["nowhere", "no such file"]),
        (["workload", "pil"], ["'pil'", "pile"]),
        (["workload", "pile", "--tokens", "0"], ["--tokens", "0 is out of range"]),
        (["run", "a.toml", "b.toml"], ["unexpected argument 'b.toml'"]),
        (["workload", "none.csv"], ["none.csv"]),
        # Not even root may write to /proc.
        ([*RUN, "--output", "/proc"], ["/proc", "cannot write to the output folder"]),
        (
            ["run", "--strategy", "flashcp", *TINY, "--set", "flashcp.ratio=much"],
            ["--set", "ratio", "much"],
        ),
    ],
)
def test_usage(words, parts, tmp_path):
    assert_refused(run(*words, cwd=tmp_path), *parts)


@pytest.mark.parametrize(
    "flag, value, parts",
    [
        ("--strategy", "rign", ["--strategy", "'rign'", "did you mean 'ring'"]),
        ("--strategy", "", ["--strategy", "empty"]),
        ("--strategy", "exec:", ["--strategy", "exec:", "program"]),
        ("--workload", "pill", ["--workload", "'pill'", "pile"]),
        ("--workload", "lognormal:mean=-3", ["--workload", "mean"]),
        ("--tokens", "-5", ["--tokens", "'-5'", "at least 1"]),
        ("--tokens", "0", ["--tokens", "0 is out of range", "from 1"]),
        ("--tokens", "8X", ["--tokens", "'8X'", "K or M"]),
        ("--tokens", "99999999999999999999", ["--tokens", "99999999999999999999"]),
        ("--ranks", "0", ["--ranks", "0 is out of range"]),
        ("--ranks", "-4", ["--ranks", "'-4'"]),
        ("--nodes", "3", ["--nodes", "3 nodes do not divide 2 ranks"]),
        ("--packs", "0", ["--packs", "0 is out of range"]),
        ("--iterations", "0", ["--iterations", "0 is out of range"]),
        ("--shape", "tiny_gqaa", ["--shape", "'tiny_gqaa'", "tiny_gqa"]),
        ("--mask", "causl", ["--mask", "'causl'", "did you mean 'causal'"]),
        ("--mask", "sliding_window", ["--mask", "--window"]),
        ("--cached", "1.5", ["--cached", "'1.5'", "0 to below 1", "count of tokens"]),
        ("--cached", "-0.5", ["--cached", "'-0.5'", "0 to below 1"]),
        ("--cached", "most", ["--cached", "'most'", "0 to below 1"]),
        ("--dtype", "float16", ["--dtype", "'float16'"]),
        ("--backend", "thread", ["--backend", "did you mean 'threads'"]),
        ("--kernel", "fuse", ["--kernel", "did you mean 'fused'"]),
        ("--direction", "backward", ["--direction", "'backward'"]),
        ("--packing", "truncat", ["--packing", "did you mean 'truncate'"]),
        ("--seed", "-1", ["--seed", "'-1'"]),
        ("--set", "ring", ["--set", "'ring'", "STRATEGY.OPTION=VALUE"]),
        ("--set", "rign.x=1", ["--set", "'rign'", "ring"]),
        ("--set", "ring.nonsense=1", ["--set", "nonsense"]),
        ("--set", "flashcp.ratio=1.2", ["--set", "flashcp", "not among the strategies"]),
        ("--baseline", "zigzag", ["--baseline", "'zigzag'", "ring"]),
        ("--format", "xml", ["--format", "'xml'"]),
    ],
)
def test_values(flag, value, parts, results):
    assert_refused(run(*with_flag(flag, value), "--output", results), *parts)
    assert not results.exists()


@pytest.mark.parametrize(
    "text, parts",
    [
        ('strategy = "ring"\nworkload = \n', ["suite.toml:2"]),
        (
            'strategy = "ring"\nworkload = "pile"\ntoken = 5\n',
            ["suite.toml:3", "unknown key 'token'", "did you mean 'tokens'"],
        ),
        (
            'strategy = "ring"\nworkload = "pile"\nranks = [4, -1]\n',
            ["suite.toml:3", "ranks", "'-1'"],
        ),
        ('strategy = "ring"\nworkload = "pile"\nranks = []\n', ["suite.toml:3", "ranks", "empty"]),
        ('strategy = "ring"\nworkload = "pile"\nsweep = 3\n', ["suite.toml:3", "[[sweep]]"]),
        ('strategy = "ring"\nworkload = "pile"\nset = "ring.x=1"\n', ["suite.toml:3", "set", "x"]),
        ('strategy = "rin"\nworkload = "pile"\n', ["suite.toml:1", "'rin'", "did you mean 'ring'"]),
    ],
)
def test_suite_file(text, parts, tmp_path, results):
    file = tmp_path / "suite.toml"
    file.write_text(text)
    assert_refused(run("run", file, "--output", results), *parts)
    assert not results.exists()


@pytest.mark.parametrize(
    "name, text",
    [
        ("lengths.csv", "12\nabc\n"),
        ("empty.txt", ""),
        ("negative.txt", "5\n-3\n"),
        ("bad.jsonl", "{\n"),
        ("bad.npy", "no numpy file"),
        ("bad.idx", "MMIDIDX"),
    ],
)
def test_unreadable_length_file(name, text, tmp_path, results):
    file = tmp_path / name
    file.write_text(text)
    assert_refused(
        run("run", "--strategy", "ring", "--workload", file, "--output", results),
        "--workload",
        name,
    )
    assert not results.exists()


def test_output_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(*RUN, "--output", tmp_path / "file" / "results")
    assert_refused(done, "file/results", "output folder")


def test_standard_output_is_full():
    words = [PROGRAM, "list", "metrics"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "cpbench: error: cannot write to standard output: No space left on device\n"
    )


def test_result_file_of_another_kind(tmp_path):
    file = tmp_path / "x.h5"
    file.write_text("not HDF5")
    assert_refused(run("show", file), "x.h5")


def test_a_sweep_without_a_supported_run_has_failed(results):
    # The shape has eight heads, too few for nine ranks.
    words = "run --strategy ulysses --workload fixed:tokens=100 --tokens 256 --ranks 9".split()
    done = run(*words, "--backend", "plan", "--output", results)
    assert done.returncode == 1
    assert "unsupported" in done.stdout
    assert "8" in done.stderr and "9" in done.stderr
