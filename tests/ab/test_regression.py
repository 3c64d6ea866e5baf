"""scripts/regression with fake programs and clocks: order, pairing, stages, refusals."""

import itertools
import json
import random
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clock import ClockWatch, cpu_clock_shares
from journal import Journal
from launches import CannotMeasure, Launch, key_of, measure
from regression import failures_of, names_of, run

ROOT = Path(__file__).resolve().parents[2]


class Fake:
    """A launch function with fake seconds; `ratios` are new over old for each run."""

    def __init__(self, ratios, noise=0.002, throttled=()):
        self.ratios, self.noise = ratios, noise
        self.throttled = set(throttled)  # numbers of launches
        self.random = random.Random(1)
        self.calls = []

    def __call__(self, build, keys):
        number = len(self.calls)
        self.calls.append((build, keys))
        seconds = {}
        for key, ratio in self.ratios.items():
            if keys is None or key in keys:
                noise = self.random.gauss(1, self.noise)
                seconds[key] = noise * (ratio if build == "new" else 1)
        return Launch(seconds, throttled=number in self.throttled)


def silent(line):
    pass


def test_builds_alternate_and_take_turns_at_being_first():
    fake = Fake({"a": 1})
    pairs = measure(fake, 4, None, silent)
    assert [build for build, _ in fake.calls] == ["old", "new", "new", "old"] * 2
    assert len(pairs.old) == len(pairs.new) == 4 and pairs.rejected == 0


def test_a_pair_with_a_throttled_launch_is_made_again():
    fake = Fake({"a": 1}, throttled=[1, 6])
    pairs = measure(fake, 4, None, silent)
    assert pairs.rejected == 2 and len(pairs.old) == len(pairs.new) == 4
    assert not any(x.throttled for x in pairs.old + pairs.new)
    assert len(fake.calls) == 12


def test_a_machine_that_is_always_throttled_is_an_error():
    with pytest.raises(CannotMeasure, match="throttled"):
        measure(Fake({"a": 1}, throttled=range(1000)), 6, None, silent)


def test_only_runs_that_differ_are_timed_again_and_the_new_pairs_decide():
    fake = Fake({"same": 1, "slow": 1.05, "fast": 0.9})
    comparisons, failures, stages = run(fake, 10)
    assert {c: x.verdict for c, x in comparisons.items()} == {
        "same": "SAME",
        "slow": "SLOWER",
        "fast": "FASTER",
    }
    assert failures == {} and len(stages) == 2
    asked = [keys for _, keys in fake.calls]
    assert asked == [None] * 20 + [["slow", "fast"]] * 20
    # The new pairs decide: if they are the same, so is the verdict.
    turning = Fake({"a": 1.05})
    first_stage = itertools.count()

    def turns(build, keys):
        turning.ratios["a"] = 1.05 if next(first_stage) < 20 else 1.0
        return turning(build, keys)

    assert run(turns, 10)[0]["a"].verdict == "SAME"


def test_runs_without_a_time_say_why():
    ok = Launch({"a": 1.0, "b": 1.0}, {"c": "unsupported: 8 heads", "d": "failed: old bug"})
    worse = Launch({"a": 1.0, "d": 1.0}, {"c": "unsupported: 8 heads", "b": "failed: new bug"})
    pairs = measure(lambda build, keys: ok if build == "old" else worse, 6, None, silent)
    assert failures_of(pairs) == {
        "b": "new: failed: new bug",
        "c": "neither build: unsupported: 8 heads",
        "d": "old: failed: old bug",
    }


class Killed(Exception):
    pass


def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path):
    same, slow = ("same",), ("slow",)

    def launches(done=0, kill_after=None):
        fake = Fake({same: 1, slow: 1.05})

        def launch(build, keys):
            if len(fake.calls) == kill_after:
                raise Killed
            fake.random = random.Random(done + len(fake.calls))
            return fake(build, keys)

        launch.commands = {}
        return launch, fake

    whole = run(launches()[0], 10)
    for kill_after in (1, 20, 27):  # in the first pair, between the stages, in the second stage
        path = tmp_path / f"{kill_after}.launches"
        with pytest.raises(Killed):
            run(Journal(launches(kill_after=kill_after)[0], path, "these programs"), 10)
        with path.open("a") as file:
            file.write('{"seconds": [')  # it was killed while it wrote
        launch, fake = launches(done=kill_after)
        assert run(Journal(launch, path, "these programs"), 10) == whole
        assert len(fake.calls) == 40 - kill_after
    # Launches of other programs do not count.
    assert Journal(launches()[0], path, "others").kept == []


def test_what_can_be_detected_follows_the_noise():
    quiet, noisy = [run(Fake({"a": 1}, noise), 10)[0]["a"] for noise in (0.002, 0.03)]
    assert 0.02 < quiet.detectable < 0.03 < noisy.detectable


def test_names_hold_what_varies():
    def row(**changes):
        return key_of(
            {"strategy": "ring", "workload": "pile", "tokens": 8, "options": {}, **changes}
        )

    keys = [row(), row(tokens=16), row(options={"a": "1"})]
    assert list(names_of(keys).values()) == ["ring pile 8", "ring pile 16", "ring a=1 pile 8"]


# ---- the whole script, on a fake program

PROGRAM = """#!{python}
import json, pathlib, random, sys
runs = {runs}
words = sys.argv[1:]
if words[0] == "show":
    name = pathlib.Path(words[1]).stem
    print("to repeat:\\n  cpbench run --strategy " + name + " \\\\\\n    --workload pile")
    sys.exit()
assert words[0] == "run", words
if not ("--strategy" in words or pathlib.Path(words[1]).exists()):
    print("cpbench: error: no suite file " + words[1], file=sys.stderr)
    sys.exit(2)
wanted = [words[words.index("--strategy") + 1]] if "--strategy" in words else list(runs)
rows = []
for name in wanted:
    seconds, status = runs[name], "ok"
    if seconds is None:
        status = "failed"
    metrics = {{"iteration_seconds": seconds * random.gauss(1, {noise})}} if seconds else {{}}
    rows.append({{"strategy": name, "workload": "pile", "options": {{}}, "backend": "threads",
                 "status": status, "error": "broken" if status == "failed" else "",
                 "file": words[words.index("--output") + 1] + "/" + name + ".h5",
                 "metrics": metrics}})
print(json.dumps(rows))
"""


@pytest.fixture
def build(tmp_path):
    def make(name, runs, noise=0.001):
        folder = tmp_path / name
        folder.mkdir()
        program = folder / "cpbench"
        program.write_text(PROGRAM.format(python=sys.executable, runs=runs, noise=noise))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return folder

    return make


def regression(tmp_path, *words):
    words = [*map(str, words), "--pairs", "6", "--record", str(tmp_path / "record.json")]
    return subprocess.run(
        [ROOT / "scripts" / "regression", *words], capture_output=True, text=True, timeout=120
    )


def test_a_slow_build_is_found(tmp_path, build):
    old = build("old", {"ring": 1.0, "zigzag": 2.0})
    new = build("new", {"ring": 1.0, "zigzag": 2.2})
    done = regression(tmp_path, old, new)
    assert done.returncode == 3, done.stderr
    assert re.search(r"^ring pile .* SAME$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^zigzag pile +1\.(09|10)\d+ .* SLOWER$", done.stdout, re.MULTILINE), (
        done.stdout
    )
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["cells"]["zigzag pile"]["verdict"] == "SLOWER"
    assert [len(stage["pairs"]) for stage in record["stages"]] == [6, 6]
    assert set(record["stages"][1]["pairs"][0]["old"]["seconds"]) == {"zigzag pile"}


def test_equal_builds_are_the_same(tmp_path, build):
    old, new = build("old", {"ring": 1.0}), build("new", {"ring": 1.0})
    done = regression(tmp_path, old / "cpbench", new)
    assert done.returncode == 0, done.stderr
    assert "1 SAME" in done.stderr


def test_a_noisy_machine_is_ambiguous(tmp_path, build):
    old, new = build("old", {"ring": 1.0}, noise=0.2), build("new", {"ring": 1.0}, noise=0.2)
    assert regression(tmp_path, old, new).returncode == 0
    assert regression(tmp_path, old, new, "--strict").returncode == 4


def test_a_run_that_fails_in_the_new_build_is_an_error(tmp_path, build):
    old = build("old", {"ring": 1.0, "zigzag": 1.0})
    new = build("new", {"ring": 1.0, "zigzag": None})
    done = regression(tmp_path, old, new)
    assert done.returncode == 1
    assert "zigzag pile: new: failed: broken" in done.stdout


def test_bad_builds_suites_and_pairs_are_refused(tmp_path, build):
    old = build("old", {"ring": 1.0})
    done = regression(tmp_path, old, tmp_path / "nowhere")
    assert done.returncode == 2 and "neither a cpbench program" in done.stderr
    done = regression(tmp_path, old, old, tmp_path / "no.toml")
    assert done.returncode == 2 and "no.toml" in done.stderr
    few = subprocess.run(
        [ROOT / "scripts" / "regression", old, old, "--pairs", "3"], capture_output=True, text=True
    )
    assert few.returncode == 2 and "at least 6, not 3" in few.stderr


# ---- the clock


@pytest.mark.parametrize(
    ("shares", "throttled"), [([0.5] * 9, True), ([1.3] * 9, False), ([0.5, 1.0, 1.0], False)]
)
def test_a_slow_clock_is_throttling(monkeypatch, shares, throttled):
    monkeypatch.setattr("clock.SAMPLE_SECONDS", 0.001)
    samples = itertools.chain(shares, itertools.repeat(shares[-1]))
    seen = []
    with ClockWatch(cpu=lambda: seen.append(1) or next(samples), gpu=lambda: None) as watch:
        while len(seen) < 10:
            pass
    assert watch.throttled is throttled


def test_a_gpu_that_reports_throttling_is_throttled(monkeypatch):
    monkeypatch.setattr("clock.SAMPLE_SECONDS", 0.001)
    seen = []
    with ClockWatch(cpu=lambda: None, gpu=lambda: seen.append(1) or True) as watch:
        while len(seen) < 3:
            pass
    assert watch.throttled is True


def test_without_a_readable_clock_throttling_is_unknown(tmp_path):
    assert cpu_clock_shares(tmp_path) is None
    with ClockWatch(cpu=lambda: None, gpu=lambda: None) as watch:
        pass
    assert watch.throttled is None


def test_the_clock_of_the_fastest_core_counts(tmp_path):
    for core, (now, base) in enumerate([(800, 2000), (1900, 2000)]):
        folder = tmp_path / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_cur_freq").write_text(f"{now}\n")
        (folder / "base_frequency").write_text(f"{base}\n")
    assert cpu_clock_shares(tmp_path) == 0.95
