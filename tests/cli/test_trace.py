"""Traces of timelines: valid JSON that adds up, or one line that says why there is none."""

import json
from collections import defaultdict

import h5py
import pytest
from conftest import TINY, assert_refused, run, run_json

ACTIVITIES = ["attention", "merge", "copy", "send", "wait", "layer", "transfer"]


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ring")
    _, rows = run_json("run", "--strategy", "ring", *TINY, "--packs", "2", "--output", folder)
    return rows[0]["file"]


def slices(trace):
    return [event for event in trace["traceEvents"] if event["ph"] == "X"]


def test_the_sums_are_those_of_the_timeline(ring):
    sums = defaultdict(float)
    for event in slices(json.loads(run("trace", ring).stdout)):
        sums[event["args"]["pack"], event["pid"] - 1, event["cat"]] += event["dur"]
    expected, events = defaultdict(float), 0
    with h5py.File(ring) as file:
        for pack in (0, 1):
            group = file[f"pack_{pack}/timeline"]
            names = ("rank", "activity", "start_seconds", "end_seconds")
            for rank, activity, start, end in zip(*(group[n][:] for n in names), strict=True):
                expected[pack, rank, ACTIVITIES[activity]] += (end - start) * 1e6
                events += 1
    assert sums.keys() == expected.keys() and events > 10
    for key, microseconds in expected.items():
        assert sums[key] == pytest.approx(microseconds, abs=0.001 * events)


def test_ranks_are_processes_with_two_kinds_of_track(ring):
    trace = json.loads(run("trace", ring).stdout)
    names = defaultdict(set)
    for event in trace["traceEvents"]:
        if event["ph"] == "M":
            names[event["pid"]].add(event["args"]["name"])
    assert names == {
        1: {"rank 0", "compute", "communication"},
        2: {"rank 1", "compute", "communication"},
    }
    assert {event["name"] for event in slices(trace)} >= {
        "attention forward step 0",
        "attention backward step 0",
        "send forward step 0",
    }
    assert trace["otherData"]["strategy"] == "ring"


def test_nothing_overlaps_on_a_track_and_packs_follow_one_another(ring):
    tracks, packs = defaultdict(list), defaultdict(list)
    for event in slices(json.loads(run("trace", ring).stdout)):
        ends = (event["ts"], event["ts"] + event["dur"])
        tracks[event["pid"], event["tid"]].append(ends)
        packs[event["args"]["pack"]].append(ends)
    for track in tracks.values():
        track.sort()
        for (_, end), (start, _) in zip(track, track[1:], strict=False):
            assert start >= end - 1e-6
    assert max(end for _, end in packs[0]) <= min(start for start, _ in packs[1]) + 1e-6
    assert len({tid for _, tid in tracks}) == len(tracks)


def test_output_file(ring, tmp_path):
    done = run("trace", ring, "--output", tmp_path / "trace.json")
    assert done.returncode == 0 and done.stdout == "" and "trace.json" in done.stderr
    assert slices(json.loads((tmp_path / "trace.json").read_text()))


def test_refusals(ring, tmp_path, results):
    _, rows = run_json("run", "--strategy", "ring", *TINY, "--backend", "plan", "--output", results)
    assert_refused(run("trace", rows[0]["file"]), rows[0]["file"], "no timeline", "plan")
    assert_refused(run("trace", tmp_path / "none.h5"), "none.h5")
    assert_refused(run("trace", tmp_path), str(tmp_path))
    done = run("trace", ring, "--output", tmp_path / "nowhere" / "trace.json")
    assert_refused(done, "nowhere/trace.json")


def test_a_run_that_is_not_ok_has_no_trace(results):
    words = ["--strategy", "ulysses", "--ranks", "9", "--tokens", "256"]
    _, rows = run_json("run", *words, "--workload", "fixed:tokens=100", "--output", results)
    assert_refused(run("trace", rows[0]["file"]), "no timeline", "unsupported", "9")
