"""Compares two builds; the help is the head of scripts/regression."""

import argparse
import dataclasses
import json
import os
import statistics
import sys
from pathlib import Path

from journal import Journal, identity_of
from launches import KEYS, BadInput, CannotMeasure, Launcher, measure, program_of
from verdict import MIN_PAIRS, SAME, compare, confirm, exit_code

ROOT = Path(__file__).resolve().parents[2]
LOAD_PER_CORE = 0.25  # more than the rest of a quiet machine causes


def say(line):
    print(f"regression: {line}", file=sys.stderr, flush=True)


def names_of(keys):
    """{key: short name}: strategy, workload, and whatever else differs between the runs."""
    varying = [
        i
        for i, name in enumerate(KEYS)
        if name in ("strategy", "workload") or len({key[i] for key in keys}) > 1
    ]
    words = {key: [text_of(json.loads(key[i])) for i in varying] for key in keys}
    return {key: " ".join(filter(None, words[key])) for key in keys}


def text_of(value):
    if isinstance(value, dict):  # options of a strategy
        return ",".join(f"{k}={v}" for k, v in value.items())
    return str(value)


def run(launch, pairs):
    """Both stages: (final comparison by key, why runs failed by key, the pairs of each stage)."""
    first = measure(launch, pairs, None, say)
    for warning in first.old[0].warnings + first.new[0].warnings:
        say(warning)
    failures = failures_of(first)
    keys = [key for key in first.old[0].seconds if key not in failures]
    comparisons = {key: compare(*first.seconds(key)) for key in keys}
    odd = [key for key in keys if comparisons[key].verdict != SAME]
    stages = [first]
    if odd:
        say(f"{len(odd)} of {len(keys)} runs are not the same at first; timing them again")
        fresh = measure(launch, pairs, odd, say)
        stages.append(fresh)
        late = failures_of(fresh)
        failures.update(late)
        odd = [key for key in odd if key not in late]
        final = confirm([compare(*fresh.seconds(key)) for key in odd])
        comparisons.update(zip(odd, final, strict=True))
    return {k: x for k, x in comparisons.items() if k not in failures}, failures, stages


def failures_of(pairs):
    """{key: why} for runs that have no time in some launch."""
    failures = {}
    launches = [("old", x) for x in pairs.old] + [("new", x) for x in pairs.new]
    for key in sorted({key for _, x in launches for key in (*x.seconds, *x.failures)}):
        without = [
            (build, x.failures.get(key, "not run")) for build, x in launches if key not in x.seconds
        ]
        if without:
            build, why = without[0]
            failures[key] = f"{'neither build' if len(without) == len(launches) else build}: {why}"
    return failures


def table(comparisons, names):
    width = max([len(names[key]) for key in comparisons] + [4])
    lines = [f"{'run':{width}}  new/old  95% interval     pairs  detectable  verdict"]
    for key, c in comparisons.items():
        interval = f"{c.low:.4f} - {c.high:.4f}"
        lines.append(
            f"{names[key]:{width}}  {c.ratio:7.4f}  {interval:15}  {c.pairs:5}  "
            f"{c.detectable:10.1%}  {c.verdict}"
        )
    return "\n".join(lines)


def say_what_was_detectable(comparisons, names):
    worst = max(comparisons, key=lambda key: comparisons[key].detectable)
    middle = statistics.median(c.detectable for c in comparisons.values())
    say(
        f"a slow-down of less than {middle:.1%} (median of the runs; at most "
        f"{comparisons[worst].detectable:.1%}, {names[worst]}) would not have been found"
    )


def warn_of_load():
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > LOAD_PER_CORE * cores:
        say(
            f"warning: load {load:.1f} on {cores} cores: other programs are running, so small "
            "differences will not be found"
        )


def record(path, programs, comparisons, failures, stages, names):
    data = {
        "old": str(programs["old"]),
        "new": str(programs["new"]),
        "cells": {names[c]: dataclasses.asdict(x) for c, x in comparisons.items()},
        "failures": {names[c]: why for c, why in failures.items()},
        "stages": [
            {
                "rejected_pairs": stage.rejected,
                "pairs": [
                    {
                        build: {
                            "seconds": {names[c]: s for c, s in launch.seconds.items()},
                            "throttled": launch.throttled,
                        }
                        for build, launch in (("old", old), ("new", new))
                    }
                    for old, new in zip(stage.old, stage.new, strict=True)
                ],
            }
            for stage in stages
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n")


def parse(words):
    parser = argparse.ArgumentParser(prog="scripts/regression", add_help=False)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("suite", nargs="?", default=ROOT / "workloads/suites/regression.toml")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--record", type=Path, default=ROOT / "results/runs/regression.json")
    arguments = parser.parse_args(words)
    if arguments.pairs < MIN_PAIRS:
        parser.error(f"--pairs must be at least {MIN_PAIRS}, not {arguments.pairs}")
    return arguments


def main(words, make_launcher=Launcher):
    arguments = parse(words)
    try:
        programs = {"old": program_of(arguments.old), "new": program_of(arguments.new)}
        warn_of_load()
        journal = Journal(
            make_launcher(programs, arguments.suite),
            arguments.record.with_suffix(".launches"),
            identity_of(programs, arguments.suite, arguments.pairs),
        )
        if journal.kept:
            say(f"going on after {len(journal.kept)} launches of an interrupted comparison")
        comparisons, failures, stages = run(journal, arguments.pairs)
    except (BadInput, CannotMeasure) as error:
        say(f"error: {error}")
        return 2 if isinstance(error, BadInput) else 1
    names = names_of([*comparisons, *failures])
    record(arguments.record, programs, comparisons, failures, stages, names)
    journal.remove()
    if comparisons:
        print(table(comparisons, names))
        say_what_was_detectable(comparisons, names)
    broken = False
    for key, why in failures.items():
        print(f"{names[key]}: {why}")
        broken |= not why.startswith("neither build")
    verdicts = [c.verdict for c in comparisons.values()]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    say(f"{counts or 'no run was timed'}; every launch is in {arguments.record}")
    code = exit_code(verdicts, arguments.strict)
    return 1 if code != 3 and (broken or not comparisons) else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
