"""`check` accepts what `plan` writes, and refuses damaged plans with the place."""

import csv
import json

import h5py
import pytest
from conftest import assert_refused, run, run_json

SMALL = ["--workload", "fixed:tokens=8", "--tokens", "12", "--ranks", "2"]
STRATEGIES = ["allgather", "flashcp", "per_doc", "ring", "ulysses", "zigzag"]


@pytest.mark.parametrize("strategy", ["pass_auto", "pass_q", "ring"])
def test_cached_tokens_have_no_query(strategy, tmp_path):
    file = tmp_path / "plan.json"
    words = ["--cached", "0.75", "--output", file]
    assert run("plan", "--strategy", strategy, *SMALL, *words).returncode == 0
    assert run("check", file).returncode == 0
    content = json.loads(file.read_text())
    assert content["problem"]["batch"]["document_lengths"] == [8, 4]
    assert content["problem"]["batch"]["cached_tokens"] == [6, 3]
    content["problem"]["batch"]["cached_tokens"] = []
    file.write_text(json.dumps(content))
    # There are now 12 queries instead of 3; ring covers them, for its attends name whole shards.
    assert run("check", file).returncode == (0 if strategy == "ring" else 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("ending", ["json", "h5", "txt"])
def test_written_plans_are_correct(strategy, ending, tmp_path):
    file = tmp_path / f"plan.{ending}"
    assert run("plan", "--strategy", strategy, *SMALL, "--output", file).returncode == 0
    done = run("check", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{file}: correct; 2 ranks, 12 tokens")


def test_plan_prints_metrics_and_text():
    done = run("plan", "--strategy", "ring", *SMALL)
    assert done.returncode == 0
    assert "wire_bytes" in done.stdout and "plan ranks 2 tokens 12" in done.stdout


def test_long_plan_is_summarised():
    words = ["plan", "--strategy", "ring", "--workload", "pile", "--ranks", "32"]
    assert "--full prints them" in run(*words).stdout
    assert "plan ranks 32" in run(*words, "--full").stdout


def test_plan_makes_one_plan():
    assert_refused(run("plan", "--strategy", "ring,zigzag", *SMALL), "one plan")


def test_plan_that_a_strategy_cannot_make():
    done = run("plan", "--strategy", "ulysses", "--workload", "pile", "--ranks", "9")
    assert_refused(done, "ulysses", "unsupported", "8", "9")


def spoiled(tmp_path, change):
    file = tmp_path / "plan.json"
    assert run("plan", "--strategy", "ring", *SMALL, "--output", file).returncode == 0
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    "change, rule",
    [
        (lambda c: c["plan"]["forward"]["attends"].pop(), "P3"),
        (
            lambda c: c["plan"]["forward"]["attends"].append(c["plan"]["forward"]["attends"][-1]),
            "P3",
        ),
        (lambda c: c["plan"]["home"].__setitem__(1, c["plan"]["home"][0]), "P2"),
        (lambda c: c["plan"]["forward"]["sends"].pop(), "P4"),
    ],
)
def test_wrong_plan(change, rule, tmp_path):
    done = run("check", spoiled(tmp_path, change))
    assert done.returncode == 1
    assert rule in done.stdout
    assert "the plan is wrong" in done.stderr


@pytest.mark.parametrize(
    "change, part",
    [
        (lambda c: c["plan"].pop("home"), "home"),
        (lambda c: c["plan"]["forward"].update(steps_ahead=1), "steps_ahead"),
        (lambda c: c["plan"].update(ranks="two"), "ranks"),
    ],
)
def test_malformed_plan(change, part, tmp_path):
    assert_refused(run("check", spoiled(tmp_path, change)), "plan.json", part)


def test_no_json(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text("{")
    assert_refused(run("check", file), "plan.json")


def test_no_such_plan(tmp_path):
    assert_refused(run("check", tmp_path / "none.json"), "none.json")


def test_result_files_hold_plans_too(results):
    _, rows = run_json(
        "run", "--strategy", "ring", *SMALL, "--backend", "plan", "--output", results
    )
    assert run("check", rows[0]["file"]).returncode == 0


def test_json_has_the_properties_that_the_strategy_reports():
    words = ("--workload", "pile", "--tokens", "8K", "--ranks", "4")
    _, rows = run_json("plan", "--strategy", "flexcp", *words)
    assert rows[0]["properties"]["groups"] == {
        "value": rows[0]["properties"]["groups"]["value"],
        "unit": "",
    }
    assert rows[0]["properties"]["groups"]["value"] >= 1
    _, rows = run_json("plan", "--strategy", "ring", *words)
    assert rows[0]["properties"] == {}


def test_runs_keep_the_properties_that_strategies_report(results):
    words = ["--workload", "pile", "--tokens", "8K", "--ranks", "4", "--backend", "plan"]
    _, rows = run_json(
        "run", "--strategy", "flexcp,ring", *words, "--packs", "2", "--output", results
    )
    groups = rows[0]["properties"]["groups"]["value"]
    assert rows[1]["properties"] == {}
    _, planned = run_json("plan", "--strategy", "flexcp", *words[:-2])
    with h5py.File(rows[0]["file"]) as file:
        each = [file[f"pack_{i}/properties/groups"][()] for i in range(2)]
        assert file["pack_0/properties/planned_seconds"].attrs["units"] == b"s"
    assert each[0] == planned[0]["properties"]["groups"]["value"]
    assert groups == sum(each) / 2
    _, stored = run_json("show", results)
    assert stored[0]["properties"] == rows[0]["properties"]
    table = run("show", results, "--columns", "property.groups,property.planned_seconds").stdout
    heading = next(line for line in table.splitlines() if line.startswith("strategy"))
    assert heading.split() == ["strategy", "groups", "planned_seconds"]
    (line,) = csv.DictReader(run("show", rows[0]["file"], "--format", "csv").stdout.splitlines())
    assert float(line["property.groups"]) == groups
    assert "reported by flexcp" in run("show", rows[0]["file"]).stdout
    done = run("show", results, "--columns", "property.grops")
    assert_refused(done, "--columns", "'grops'", "did you mean 'groups'?")
    assert_refused(run("show", rows[1]["file"], "--columns", "property.groups"), "reports")
