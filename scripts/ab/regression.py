"""Compares two builds: scripts/regression, whose head is the help."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from launches import KEYS, BadInput, CannotMeasure, Launcher, measure, program_of
from verdict import MIN_PAIRS, SAME, compare, confirm, exit_code

ROOT = Path(__file__).resolve().parents[2]


def say(line):
    print(f"regression: {line}", file=sys.stderr, flush=True)


def names_of(cells):
    """What tells the cells apart, as short as it can be; at least the strategy and the workload."""
    varying = [
        i
        for i, name in enumerate(KEYS)
        if name in ("strategy", "workload") or len({cell[i] for cell in cells}) > 1
    ]
    words = {cell: [text_of(json.loads(cell[i])) for i in varying] for cell in cells}
    return {cell: " ".join(filter(None, words[cell])) for cell in cells}


def text_of(value):
    if isinstance(value, dict):  # options of a strategy
        return ",".join(f"{k}={v}" for k, v in value.items())
    return str(value)


def run(launch, pairs):
    """Both stages. Returns the final comparison by cell, what failed, and the stages' pairs."""
    first = measure(launch, pairs, None, say)
    for warning in first.old[0].warnings + first.new[0].warnings:
        say(warning)
    failures = failures_of(first)
    cells = [cell for cell in first.old[0].seconds if cell not in failures]
    comparisons = {cell: compare(*first.seconds(cell)) for cell in cells}
    odd = [cell for cell in cells if comparisons[cell].verdict != SAME]
    stages = [first]
    if odd:
        say(f"{len(odd)} of {len(cells)} cells are not the same at first sight: once more, afresh")
        fresh = measure(launch, pairs, odd, say)
        stages.append(fresh)
        late = failures_of(fresh)
        failures.update(late)
        odd = [cell for cell in odd if cell not in late]
        final = confirm([compare(*fresh.seconds(cell)) for cell in odd])
        comparisons.update(zip(odd, final, strict=True))
    return {c: x for c, x in comparisons.items() if c not in failures}, failures, stages


def failures_of(pairs):
    """Cells without a time in every launch: why. Those that neither build can do are left out."""
    failures = {}
    launches = [("old", x) for x in pairs.old] + [("new", x) for x in pairs.new]
    cells = {cell for _, x in launches for cell in (*x.seconds, *x.failures)}
    for cell in sorted(cells):
        without = [
            (build, x.failures.get(cell, "not run"))
            for build, x in launches
            if cell not in x.seconds
        ]
        if without:
            failures[cell] = f"{without[0][0]}: {without[0][1]}"
            if len(without) == len(launches):
                failures[cell] = f"neither build: {without[0][1]}"
    return failures


def table(comparisons, names):
    width = max([len(names[cell]) for cell in comparisons] + [4])
    lines = [f"{'cell':{width}}  new/old  95% interval     pairs  verdict"]
    for cell, c in comparisons.items():
        interval = f"{c.low:.4f} - {c.high:.4f}"
        lines.append(
            f"{names[cell]:{width}}  {c.ratio:7.4f}  {interval:15}  {c.pairs:5}  {c.verdict}"
        )
    return "\n".join(lines)


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
        parser.error(f"--pairs {arguments.pairs} are too few; at least {MIN_PAIRS}")
    return arguments


def main(words, make_launcher=Launcher):
    arguments = parse(words)
    try:
        programs = {"old": program_of(arguments.old), "new": program_of(arguments.new)}
        launcher = make_launcher(programs, arguments.suite)
        comparisons, failures, stages = run(launcher, arguments.pairs)
    except (BadInput, CannotMeasure) as error:
        say(f"error: {error}")
        return 2 if isinstance(error, BadInput) else 1
    names = names_of([*comparisons, *failures])
    record(arguments.record, programs, comparisons, failures, stages, names)
    if comparisons:
        print(table(comparisons, names))
    broken = False
    for cell, why in failures.items():
        print(f"{names[cell]}: {why}")
        broken |= not why.startswith("neither build")
    verdicts = [c.verdict for c in comparisons.values()]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    say(f"{counts or 'no cell was measured'}; every launch is in {arguments.record}")
    code = exit_code(verdicts, arguments.strict)
    return 1 if code != 3 and (broken or not comparisons) else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
