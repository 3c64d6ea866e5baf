"""Launches two builds in alternating pairs. How to launch one is a function:

launch(build, keys) -> Launch     # build: "old" or "new"; keys: the runs to time, or None for all
"""

import json
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from clock import ClockWatch

# What identifies a run in both builds; run ids differ between versions of the program.
KEYS = [
    "strategy", "options", "workload", "packing", "tokens", "packs", "ranks", "nodes", "shape",
    "dtype", "mask", "window", "cached", "direction", "backend", "kernel", "seed",
]  # fmt: skip
ATTEMPTS_PER_PAIR = 3  # a machine that is throttled more often cannot be used


class BadInput(Exception):
    pass


class CannotMeasure(Exception):
    pass


@dataclass
class Launch:
    seconds: dict  # by key; only runs that succeeded
    failures: dict = field(default_factory=dict)  # by key: "failed: ...", "unsupported: ..."
    throttled: bool | None = None
    warnings: list = field(default_factory=list)
    commands: dict = field(default_factory=dict)  # by key: arguments that repeat only this run


@dataclass
class Pairs:
    old: list
    new: list
    rejected: int = 0

    def seconds(self, key):
        return [x.seconds[key] for x in self.old], [x.seconds[key] for x in self.new]


def measure(launch, pairs, keys, say):
    """Makes so many pairs whose launches both count. Old is first in every other pair, so that both
    builds benefit equally from what the first of a pair leaves (a warm file cache or machine)."""
    done = Pairs([], [])
    begin = time.monotonic()
    while len(done.old) < pairs:
        order = ("old", "new") if (len(done.old) + done.rejected) % 2 == 0 else ("new", "old")
        pair = {build: launch(build, keys) for build in order}
        if any(x.throttled for x in pair.values()):
            done.rejected += 1
            if done.rejected >= ATTEMPTS_PER_PAIR * pairs:
                raise CannotMeasure(f"{done.rejected} pairs were throttled; the machine is too hot")
            say(f"pair rejected: the clock was throttled ({done.rejected} so far)")
            continue
        done.old.append(pair["old"])
        done.new.append(pair["new"])
        a_pair = (time.monotonic() - begin) / (len(done.old) + done.rejected)
        left = a_pair * (pairs - len(done.old))
        say(
            f"pair {len(done.old)} of {pairs}" + (f", about {left:.0f} s left" if left >= 1 else "")
        )
    return done


def repeating_arguments(shown):
    """Of `cpbench run`, in what `cpbench show FILE` prints: its last words repeat the run."""
    command = shlex.split(shown.partition("to repeat:")[2])
    return command[command.index("run") + 1 :]


def key_of(row):
    return tuple(json.dumps(row.get(name), sort_keys=True) for name in KEYS)


class Launcher:
    """Runs cpbench: the whole suite in one process, or each of the given runs in its own."""

    def __init__(self, programs, suite):
        self.programs, self.suite = programs, suite
        self.commands = {}  # of the first old launch

    def __call__(self, build, keys):
        with tempfile.TemporaryDirectory() as folder, ClockWatch() as watch:
            if keys is None:
                launch = self._run(build, [self.suite], folder)
            else:
                launch = Launch({})
                for key in keys:
                    one = self._run(build, self.commands[key], folder)
                    # It is the same run even if the builds have different defaults.
                    for seconds in one.seconds.values():
                        launch.seconds[key] = seconds
                    for failure in one.failures.values():
                        launch.failures[key] = failure
        launch.throttled = watch.throttled
        return launch

    def _run(self, build, arguments, folder):
        program = self.programs[build]
        command = [program, "run", *arguments, "--output", folder, "--format", "json"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        try:
            rows = json.loads(done.stdout)
        except json.JSONDecodeError:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            kind = BadInput if done.returncode == 2 else CannotMeasure
            raise kind(f"{build}: {shlex.join(map(str, command))}: {last}") from None
        launch = Launch({}, warnings=[x for x in done.stderr.splitlines() if "warning" in x])
        for row in rows:
            seconds = row["metrics"].get("iteration_seconds")
            if row["status"] == "ok" and seconds is not None:
                launch.seconds[key_of(row)] = seconds
            elif row["status"] == "ok":
                launch.failures[key_of(row)] = f"backend {row['backend']} does not measure times"
            else:
                launch.failures[key_of(row)] = f"{row['status']}: {row['error']}"
            if build == "old" and key_of(row) not in self.commands:
                launch.commands[key_of(row)] = self._command_of(program, row["file"])
        self.commands |= launch.commands
        return launch

    @staticmethod
    def _command_of(program, file):
        shown = subprocess.run([program, "show", file], capture_output=True, text=True, check=True)
        return repeating_arguments(shown.stdout)


def program_of(path):
    """cpbench itself, or a build folder that holds it."""
    path = Path(path)
    program = path / "cpbench" if path.is_dir() else path
    if not program.is_file():
        raise BadInput(f"{path}: neither a cpbench program nor a build folder with one")
    return program.resolve()
