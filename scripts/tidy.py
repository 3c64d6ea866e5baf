"""Runs clang-tidy on the C++ files that changed since it last passed on them.

    .venv/bin/python3 scripts/tidy.py        # after scripts/build

A file is checked again when it, a header of the project that it includes (directly or not), its
compile command or .clang-tidy changed. Tests are left out, because the macros of GoogleTest violate
several rules; CUDA is left out, because its compile commands are those of nvcc. Exit codes: 0 no
findings, 1 findings, 2 nothing was built yet.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PASSED = BUILD / "tidy"  # one empty file per key that passed
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def own_headers(path: Path, seen: set[Path]) -> set[Path]:
    """Adds all headers of the project that `path` includes, directly or not, to `seen`."""
    for name in INCLUDE.findall(path.read_text()):
        header = ROOT / name
        if header.is_file() and header not in seen:
            seen.add(header)
            own_headers(header, seen)
    return seen


def key_of(path: Path, command: str) -> str:
    digest = hashlib.sha256(command.encode())
    for part in [ROOT / ".clang-tidy", path, *sorted(own_headers(path, set()))]:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def check(path: Path) -> tuple[Path, int, str]:
    tool = ROOT / ".venv/bin/clang-tidy"
    run = subprocess.run(
        [tool, "-p", BUILD, "--quiet", path], capture_output=True, text=True, check=False
    )
    return path, run.returncode, run.stdout + (run.stderr if run.returncode else "")


def main() -> int:
    commands = BUILD / "compile_commands.json"
    if not commands.is_file():
        print("tidy: no build/compile_commands.json; run scripts/build first", file=sys.stderr)
        return 2
    PASSED.mkdir(exist_ok=True)
    todo = {}
    for entry in json.loads(commands.read_text()):
        path = Path(entry["file"])
        inside = path.is_relative_to(ROOT) and not path.is_relative_to(BUILD)
        test = path.name.endswith(("_test.cc", "_for_tests.cc")) or path.is_relative_to(
            ROOT / "tests"
        )
        if not inside or test or path.suffix == ".cu":
            continue
        key = key_of(path, entry["command"])
        if not (PASSED / key).exists():
            todo[path] = key
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (path, code, text) in enumerate(pool.map(check, sorted(todo)), 1):
            verdict = "ok" if code == 0 else "FINDINGS"
            print(f"tidy: {done}/{len(todo)} {path.relative_to(ROOT)} {verdict}", file=sys.stderr)
            if code == 0:
                (PASSED / todo[path]).touch()
            else:
                bad += 1
                print(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
