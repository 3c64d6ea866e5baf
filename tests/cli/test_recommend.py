"""recommend and run --tune: every strategy with its options tuned, ranked with ties."""

import csv
import io
import shlex
import signal

import pytest
from conftest import PROGRAM, assert_refused, run, run_json, start

PROBLEM = ["--workload", "documents:3K+4K+1K", "--tokens", "8K", "--ranks", "8"]
RECOMMEND = ["recommend", *PROBLEM, "--strategy", "allgather,loongtrain,ring,ulysses,usp"]


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answer")
    suite = folder / "best.toml"
    done, rows = run_json(*RECOMMEND, "--output", folder / "runs", "--write", suite)
    assert done.returncode == 0, done.stderr
    return folder, suite, rows


def test_strategies_are_ranked_by_time_with_ties(answer):
    _, _, rows = answer
    assert {row["strategy"] for row in rows} == {
        "allgather",
        "loongtrain",
        "ring",
        "ulysses",
        "usp",
    }
    assert all(row["status"] == "ok" for row in rows)
    order = [(row["place"], row["seconds_over_best"]) for row in rows]
    assert order == sorted(order) and order[0] == (1, 1.0)
    for row in rows:  # the place is 1 + the number of those that are faster by more than the error
        faster = [
            other
            for other in rows
            if row["seconds_over_best"] / other["seconds_over_best"]
            > 1 + max(row["relative_error"], other["relative_error"])
        ]
        assert row["place"] == 1 + len(faster)
        assert row["tied"] == (sum(other["place"] == row["place"] for other in rows) > 1)
        assert 0 < row["relative_error"] < 1 and row["peak_bytes"] > 0
        assert sum(row["shares_of_time"].values()) == pytest.approx(1, abs=1e-6)


def test_tuning_never_loses_and_its_results_are_there(answer):
    folder, _, rows = answer
    tuned = [row for row in rows if row["options"] != row["given_options"]]
    assert tuned and all(row["given_over_tuned"] > 1.005 for row in tuned)
    assert all(row["given_over_tuned"] == 1 for row in rows if row not in tuned)
    _, shown = run_json("show", folder / "runs")
    options = {(row["strategy"], tuple(row["options"].items())) for row in shown}
    for row in rows:
        assert (row["strategy"], tuple(row["options"].items())) in options
        assert (row["strategy"], ()) in options


def test_the_search_tried_every_candidate(answer):
    folder, _, _ = answer
    _, tried = run_json("show", folder / "runs-tuning")
    degrees = {r["options"].get("ulysses_degree") for r in tried if r["strategy"] == "usp"}
    assert degrees == {None, "1", "2", "4", "8"}
    packs = {r["packs"] for r in tried if r["strategy"] == "usp"}
    assert packs == {1, 4}
    on_all = [r for r in tried if r["strategy"] == "usp" and r["packs"] == 4]
    assert len(on_all) <= 3  # the default and the fastest quarter of five


def test_the_command_and_the_suite_measure_the_best(answer):
    _, suite, rows = answer
    words = shlex.split(rows[0]["command"])
    assert words[:2] == ["cpbench", "run"] and "nccl" in words
    planned = run(*words[1:], "--backend", "plan", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    done, runs = run_json("run", suite, "--backend", "plan", "--dry-run")
    assert done.returncode == 0, done.stderr
    best = [(r["strategy"], r["options"]) for r in rows if r["place"] == 1]
    assert [(r["strategy"], r["options"]) for r in runs][: len(best)] == best
    assert len(runs) >= 3
    assert {(r["tokens"], r["ranks"], r["packs"]) for r in runs} == {(8192, 8, 4)}


def test_an_answer_resumes(answer):
    folder, _, rows = answer
    done, again = run_json(*RECOMMEND, "--output", folder / "runs")
    assert "[" not in done.stderr  # nothing is simulated
    assert again == rows


def test_an_interrupted_answer_says_how_to_resume(tmp_path):
    words = ["recommend", "--workload", "pile", "--tokens", "256K", "--ranks", "32"]
    process = start(*words, "--output", tmp_path / "runs")
    process.stderr.readline()  # the first line of progress
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert f"resume with: {PROGRAM} recommend --workload pile" in err


def test_tables_say_what_is_tied_and_how_to_measure(answer):
    folder, _, rows = answer
    text = run(*RECOMMEND, "--output", folder / "runs").stdout
    assert "time / best" in text and "tuning gains" in text and "bound by" in text
    assert ("are tied" in text) == rows[0]["tied"]
    assert "To measure the first:\n  cpbench run --strategy " in text
    table = list(
        csv.DictReader(
            io.StringIO(run(*RECOMMEND, "--output", folder / "runs", "--format", "csv").stdout)
        )
    )
    assert [row["strategy"] for row in table] == [row["strategy"] for row in rows]


def test_a_slow_strategy_is_left_behind_on_the_first_pack(tmp_path):
    words = ["recommend", "--workload", "fixed:tokens=512", "--tokens", "64K", "--ranks", "32"]
    words += ["--strategy", "pass_q,bytescale", "--output", tmp_path / "runs"]
    done, rows = run_json(*words)
    assert done.returncode == 0, done.stderr
    packs = {row["strategy"]: (row["packs"], row["seconds_over_best"] > 2) for row in rows}
    assert packs == {"bytescale": (4, False), "pass_q": (1, True)}


def test_unsupported_strategies_are_named(tmp_path):
    words = ["recommend", "--workload", "pile", "--tokens", "6K", "--ranks", "3"]
    done, rows = run_json(*words, "--strategy", "ring,halo", "--output", tmp_path / "runs")
    assert done.returncode == 0
    assert [row["status"] for row in rows] == ["ok", "unsupported"]
    assert "sliding windows" in rows[1]["error"]
    alone = run(*words, "--strategy", "halo", "--output", tmp_path / "runs")
    assert alone.returncode == 1 and "unsupported (halo)" in alone.stdout


def test_bad_questions_are_refused(tmp_path):
    runs = ["--output", tmp_path / "runs"]
    ask = ["recommend", "--workload", "pile"]
    assert_refused(run("recommend", *runs), "no workload is given")
    assert_refused(run(*ask, "--ranks", "4,8", *runs), "--ranks", "one problem")
    assert_refused(run(*ask, "--backend", "threads", *runs), "--backend: 'threads'")
    assert_refused(run(*ask, "--cluster", "h1000", *runs), "did you mean")
    assert_refused(run(*ask, "--strategy", "rung", *runs), "did you mean 'ring'?")
    assert not (tmp_path / "runs").exists()


def test_sweeps_are_tuned_next_to_their_defaults(results):
    words = ["run", "--strategy", "magi,pass_q", "--workload", "documents:3K+4K+1K"]
    words += ["--tokens", "8K", "--ranks", "8,16", "--shape", "llama3_8b"]
    words += ["--backend", "simulate", "--cluster", "h100", "--output", results]
    done, rows = run_json(*words, "--tune")
    assert done.returncode == 0, done.stderr
    given = [(r["strategy"], r["ranks"]) for r in rows if not r["options"]]
    assert given == [("magi", 8), ("pass_q", 8), ("magi", 16), ("pass_q", 16)]
    for i, row in enumerate(rows):
        if row["options"]:
            before = rows[i - 1]
            assert (before["strategy"], before["ranks"]) == (row["strategy"], row["ranks"])
            seconds = [r["metrics"]["iteration_seconds"] for r in (row, before)]
            assert seconds[0] < seconds[1]
    assert any(row["options"] for row in rows)
    untuned, plain = run_json(*words)  # the same results without --tune
    assert all(row["existed"] for row in plain), untuned.stderr


def test_combinations_have_no_option_that_is_slow_alone(tmp_path):
    problem = ["--workload", "documents:9K+3K+1K", "--tokens", "64K", "--ranks", "32"]
    words = ["run", "--tune", "--backend", "simulate", "--cluster", "h100", *problem]
    run_json(*words, "--strategy", "loongtrain", "--output", tmp_path / "runs")
    _, tried = run_json("show", tmp_path / "runs-tuning")
    seconds = {frozenset(r["options"].items()): r["metrics"]["iteration_seconds"] for r in tried}
    alone = {options: time for options, time in seconds.items() if len(options) < 2}
    slow = [options for options, time in alone.items() if time > 1.5 * min(alone.values())]
    combined = [options for options in seconds if len(options) == 2]
    assert slow and combined
    assert not any(change <= options for change in slow for options in combined)


def test_a_run_that_is_named_twice_is_tuned_once(tmp_path):
    suite = tmp_path / "twice.toml"
    suite.write_text(
        'strategy = "usp"\nworkload = "fixed:tokens=2K"\ntokens = "8K"\nbackend = "simulate"\n'
        'cluster = "h100"\n[[sweep]]\nranks = 4\n[[sweep]]\nranks = [4, 8]\n'
    )
    done, rows = run_json("run", suite, "--tune", "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert [row["ranks"] for row in rows if not row["options"]] == [4, 8]


def test_what_has_no_time_is_not_tuned(results):
    words = ["run", "--strategy", "usp", *PROBLEM, "--tune", "--output", results]
    assert_refused(run(*words, "--backend", "plan"), "--tune", "--backend simulate")
    assert_refused(run(*words, "--backend", "mpi"), "--tune", "mpi")
    assert_refused(run(*words, "--shard", "1/2", "--dry-run"), "--dry-run")


def test_a_dry_run_plans_the_candidates_on_one_pack(tmp_path):
    words = [
        "run",
        "--strategy",
        "allgather",
        *PROBLEM,
        "--backend",
        "simulate",
        "--cluster",
        "h100",
    ]
    words += ["--packs", "2", "--tune", "--dry-run", "--output", tmp_path / "runs"]
    done, rows = run_json(*words)
    assert done.returncode == 0, done.stderr
    assert [row["options"] for row in rows][0] == {} and len(rows) == 3
    assert all(row["packs"] == 1 and row["plan_hash"] for row in rows)
    assert list(tmp_path.iterdir()) == []
