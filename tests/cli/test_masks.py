"""Masks, trees and whole packs on the command line, as users asked for them."""

import json

import pytest
from conftest import assert_refused, run, run_json

PLANS = ["--ranks", "2", "--backend", "plan"]
NUMBERS = ["--ranks", "2", "--dtype", "float64", "--iterations", "1"]


def pack_of(*words, tmp_path):
    file = tmp_path / "plan.json"
    done = run("plan", "--strategy", "ring", "--ranks", "2", *words, "--output", file)
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())["problem"]["batch"]


def test_documents_are_literal_and_in_order(tmp_path):
    words = ["--workload", "docs:37,51,pad=8,0,40", "--tokens", "8K", "--mask", "chunked:16"]
    assert pack_of(*words, tmp_path=tmp_path) == {
        "document_lengths": [37, 51, 8, 0, 40],
        "mask": "chunked",
        "window": 16,
        "cached_tokens": [0, 0, 8, 0, 0],
        "parents": [],
        "rules": [],
    }


def test_cached_tokens_are_a_share_or_a_count(tmp_path):
    words = ["--workload", "docs:37,51,pad=8,1"]
    assert pack_of(*words, "--cached", "0.5", tmp_path=tmp_path)["cached_tokens"] == [18, 25, 8, 0]
    assert pack_of(*words, "--cached", "40", tmp_path=tmp_path)["cached_tokens"] == [36, 40, 8, 0]


@pytest.mark.parametrize(
    "workload", ["tree:prompt=20,completions=3,length=9", "docs:3,pad=1,2,pad=2", "docs:16,24,0,0"]
)
def test_strategies_compute_it_or_say_why_not(workload, results):
    _, rows = run_json(
        "run",
        "--strategy",
        "flashcp,magi,ring",
        "--workload",
        workload,
        *NUMBERS,
        "--output",
        results,
    )
    for row in rows:
        assert row["status"] in ("ok", "unsupported"), row["error"]
        if row["status"] == "unsupported":
            assert row["error"]
            continue
        assert row["metrics"]["max_error_output"] <= 1e-10
        assert row["metrics"]["max_error_gradient"] <= 1e-10


def test_a_file_of_documents(tmp_path, results):
    file = tmp_path / "pack.json"
    rows = [
        {"length": 20, "rule": "prefix:4"},
        {"length": 9, "parent": 0},
        {"length": 7, "parent": 0, "cached": 3, "rule": "block_causal:2"},
        {"length": 4, "rule": "pad"},
    ]
    file.write_text(json.dumps(rows))
    words = ["run", "--strategy", "magi,ring", "--workload", file, *NUMBERS, "--output", results]
    _, rows = run_json(*words)
    assert [row["status"] for row in rows] == ["ok", "ok"]
    refused = run(*words, "--mask", "document_full")
    assert_refused(refused, "--mask", "must be document_causal where documents have rules")


def test_several_masks_share_one_layout(results):
    """Windows and global attention on documents of 4 and 8, with a window of 3."""
    words = ["run", "--strategy", "magi", "--workload", "docs:4,8", *NUMBERS, "--output", results]
    mixed = "document_causal*2+sliding_window:3*5"
    _, (both, first) = run_json(*words, "--mask", f"{mixed},document_causal")
    assert both["status"] == "ok"
    assert both["mask"] == mixed
    wire = both["metrics"]["wire_bytes"]
    of_first = both["metrics"]["wire_bytes@document_causal"]
    assert of_first == first["metrics"]["wire_bytes"]
    assert wire == 2 * of_first + 5 * both["metrics"]["wire_bytes@sliding_window:3"]


def test_a_layout_may_be_planned_for_the_sum_of_the_masks(results):
    """Under the sum, three layers of chunks of 64 outweigh one that is causal."""
    words = ["run", "--strategy", "magi,torch_ptrr", "--workload", "docs:300,90,61,40,21"]
    words += ["--mask", "document_causal+chunked:64*3", "--plan_for", "first,sum"]
    _, rows = run_json(*words, *NUMBERS, "--output", results)
    assert sorted(row["plan_for"] for row in rows) == ["", "", "sum", "sum"]
    for row in rows:
        assert row["status"] == "ok", row["error"]
        assert row["metrics"]["max_error_output"] <= 1e-10
        assert row["metrics"]["max_error_gradient"] <= 1e-10


def test_planning_for_the_sum_needs_several_masks():
    done = run("run", "--strategy", "ring", "--workload", "pile", *PLANS, "--plan_for", "sum")
    assert_refused(done, "--plan_for", "needs several masks")


def test_a_layout_that_does_not_attend_the_second_mask(results):
    """Deals by work, so the layouts differ; the plan for the window attends too little."""
    words = [
        "run",
        "--strategy",
        "flashcp",
        "--workload",
        "docs:40,8,8,8",
        *PLANS,
        "--output",
        results,
    ]
    _, (row,) = run_json(*words, "--mask", "sliding_window:2+document_causal")
    assert row["status"] in ("ok", "unsupported")
    if row["status"] == "unsupported":
        assert "name the mask that sees most first" in row["error"]


@pytest.mark.parametrize(
    "mask, why",
    [
        ("chunkd:4", "did you mean 'chunked'?"),
        ("chunked", "needs a window"),
        ("causal:4", "has no window"),
        ("causal+chunked", "chunked needs a window"),
        ("causal*0+chunked:4", "the layers must be from 1"),
    ],
)
def test_bad_masks_are_refused(mask, why):
    done = run("run", "--strategy", "ring", "--workload", "pile", *PLANS, "--mask", mask)
    assert_refused(done, "--mask", why)


def test_a_whole_causal_pack_has_no_parents():
    words = ["--strategy", "ring", "--workload", "tree", *PLANS, "--mask", "causal"]
    assert_refused(
        run("run", *words), "--mask", "document_causal where documents have parents or rules"
    )
