"""show --winners: the fastest strategy of each problem, with ties; and the places in tables."""

import csv
import io
from itertools import product

import pytest
from conftest import ROOT, assert_refused, run, run_json

SWEEP = ["run", "--strategy", "allgather,pass_q,ring,ulysses,usp", "--tokens", "8K"]
SWEEP += ["--workload", "documents:3K+4K+1K", "--ranks", "3,8", "--shape", "llama3_8b"]
SWEEP += ["--backend", "simulate", "--cluster", "h100"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("winners")
    done, rows = run_json(*SWEEP, "--output", folder)
    assert done.returncode == 0, done.stderr
    return folder, [row for row in rows if row["status"] == "ok"]


def seconds(row):
    return row["metrics"]["iteration_seconds"]


def test_a_winner_is_the_fastest_of_its_problem(runs):
    folder, rows = runs
    done = run("show", folder, "--winners", "--format", "csv")
    assert done.returncode == 0, done.stderr
    winners = {int(row["ranks"]): row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert set(winners) == {3, 8}
    for ranks, winner in winners.items():
        own = sorted((row for row in rows if row["ranks"] == ranks), key=seconds)
        assert winner["winner"] == own[0]["strategy"]
        assert float(winner["seconds_per_pack"]) == seconds(own[0])
        assert int(winner["strategies"]) == len(own)
        tied = winner["tied with"].split()
        rest = [row for row in own[1:] if row["strategy"] not in tied]
        assert len(rest) == len(own) - 1 - len(tied)
        after = f"{seconds(rest[0]) / seconds(own[0]):.6g}" if rest else ""
        found = winner["next_over_winner"]
        assert (f"{float(found):.6g}" if found else "") == after


def test_the_table_for_people_has_units(runs):
    folder, _ = runs
    text = run("show", folder, "--winners").stdout
    assert "next / winner" in text and "time per pack" in text and "workload documents" in text
    assert "us" in text or "ms" in text


def test_tables_have_places_per_problem(runs):
    folder, rows = runs
    text = run("show", folder, "--columns", "ranks,place").stdout
    lines = [line.split() for line in text.splitlines()]
    places = {(w[0], int(w[1])): w[2] for w in lines if len(w) == 3 and w[1] in ("3", "8")}
    for ranks in (3, 8):
        own = sorted((row for row in rows if row["ranks"] == ranks), key=seconds)
        assert places[own[0]["strategy"], ranks] in ("1", "=1")
    assert places["pass_q", 8].lstrip("=") != "1"


def test_plans_have_no_winner(tmp_path):
    words = ["run", "--strategy", "ring,allgather", "--workload", "pile", "--backend", "plan"]
    run_json(*words, "--output", tmp_path)
    assert run("show", tmp_path, "--winners").stdout == "no run has a time\n"
    assert "place" not in run("show", tmp_path).stdout.splitlines()[1]


@pytest.mark.parametrize("suite", ["atlas", "atlas_full"])
def test_the_suites_of_the_atlas_cover_all_length_sets(suite):
    text = (ROOT / f"workloads/suites/{suite}.toml").read_text()
    lengths = {path.stem for path in (ROOT / "workloads/lengths").glob("*.toml")}
    assert all(f'"{name}"' in text for name in lengths)
    assert_refused(run("run", suite, "--shard", "0/9"), "--shard")


def test_the_committed_winners_are_those_of_the_suite():
    tomllib = pytest.importorskip("tomllib")
    suite = tomllib.loads((ROOT / "workloads/suites/atlas.toml").read_text())
    problems = set()
    for sweep in suite["sweep"]:
        clusters = sweep.get("cluster", [suite["cluster"]])
        ranks = str(sweep.get("ranks", suite["ranks"]))
        windows = sweep.get("window", [""])
        problems |= set(product(clusters, [ranks], [sweep["tokens"]], sweep["workload"], windows))
    with (ROOT / "results/atlas/winners.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("cluster", "ranks", "tokens", "workload", "window")
    found = {tuple(row[key] for key in keys) for row in rows}
    assert found == problems
    names = {text.split(":")[0] for text in suite["strategy"]}
    assert {row["winner"].split(":")[0] for row in rows} <= names
