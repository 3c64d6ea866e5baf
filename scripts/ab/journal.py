"""Keeps every launch in a file, so that a comparison that was killed goes on where it stopped."""

import dataclasses
import hashlib
import json
from pathlib import Path

from launches import Launch

BY_KEY = ("seconds", "failures", "commands")  # the fields of a Launch that are dicts by key


class Journal:
    """A launch function that first gives back the launches in the file, if they are of the same
    comparison. Those before a launch decide what it is, so the comparison takes the same course."""

    def __init__(self, launcher, path, identity):
        self.launcher, self.path = launcher, Path(path)
        lines = self.path.read_text().splitlines(keepends=True) if self.path.is_file() else []
        if lines[:1] != [identity + "\n"]:
            lines = [identity + "\n"]
        lines = [line for line in lines if line.endswith("\n")]  # the last may have been cut
        self.kept = [launch_of(json.loads(line)) for line in lines[1:]]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(lines))

    def __call__(self, build, keys):
        if self.kept:
            launch = self.kept.pop(0)
            self.launcher.commands |= launch.commands
            return launch
        launch = self.launcher(build, keys)
        with self.path.open("a") as file:
            file.write(json.dumps(plain(launch)) + "\n")
        return launch

    def remove(self):
        self.path.unlink()


def identity_of(programs, suite, pairs):
    """One line that differs if anything does on which the launches depend."""
    files = [path for path in (*programs.values(), suite) if Path(path).is_file()]
    digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in files]
    return " ".join([f"{pairs} pairs", str(suite), *digests])


def plain(launch):
    fields = dataclasses.asdict(launch)
    return fields | {name: list(fields[name].items()) for name in BY_KEY}


def launch_of(fields):
    by_key = {name: {tuple(key): value for key, value in fields[name]} for name in BY_KEY}
    return Launch(**fields | by_key)
