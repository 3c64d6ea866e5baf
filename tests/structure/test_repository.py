"""Rules of the whole tree: folders have a README, and no path of one person's machine is used."""

import os
import re
from pathlib import Path

import pytest
from tree import ROOT, own_files

TOP_LEVEL = {"methods", "baselines", "workloads", "harness", "results", "plots", "scripts", "tests"}
# Paths that exist on one machine only. A path in a temporary folder must come from the environment
# (TMPDIR, mktemp, std::filesystem::temp_directory_path), not from a literal.
MACHINE = re.compile(r"""(?<![\w.}>])/(home|root|Users|work|farm|tmp)/[\w.]|\.\./shared\b""")
TEXT_LIMIT_BYTES = 2_000_000


def test_top_level_is_as_laid_out():
    assert {p.parts[0] for p in own_files() if len(p.parts) > 1} <= TOP_LEVEL | {".ci", ".github"}


@pytest.mark.parametrize("folder", sorted({p.parts[0] for p in own_files()} & TOP_LEVEL))
def test_every_top_level_folder_says_what_lives_there(folder):
    assert (ROOT / folder / "README.md").is_file()


def test_no_path_of_one_machine():
    found = []
    for path in own_files():
        file = ROOT / path
        if file.is_symlink() or file.stat().st_size > TEXT_LIMIT_BYTES:
            continue
        data = file.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path}:{number}: {line.strip()[:120]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", ["open('/" + "home/ann/x')", "cd /" + "tmp/x", "../" + "shared/x"])
def test_a_path_of_one_machine_is_found(line):
    assert MACHINE.search(line)


@pytest.mark.parametrize("line", ["<dir>/home/x", "results/work/x", "$TMPDIR/tmp/x", "/dev/full"])
def test_other_paths_pass(line):
    assert not MACHINE.search(line)


def scripts_with_a_first_line() -> list[Path]:
    paths = [p for p in own_files("scripts/*", ".ci/*") if not p.suffix and len(p.parts) == 2]
    return [p for p in paths if (ROOT / p).read_bytes().startswith(b"#!")]


@pytest.mark.parametrize("path", scripts_with_a_first_line(), ids=str)
def test_scripts_can_be_run(path):
    assert os.access(ROOT / path, os.X_OK), f"chmod +x {path}"
