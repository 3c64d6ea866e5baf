"""What the documents tell a reader to type exists: scripts, commands, options, linked files."""

import functools
import os
import re
import subprocess
from pathlib import Path

import pytest
from tree import BINARY, ROOT, own_files

BLOCK = re.compile(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
DOCUMENTS = own_files("*.md")


def commands() -> list[tuple[Path, str]]:
    """(document, command) for every line of every block marked sh, bash or console."""
    found = []
    for document in DOCUMENTS:
        for block in BLOCK.findall((ROOT / document).read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.sub(r"\s+#.*$", "", line.strip().removeprefix("$ ")).strip()
                if command and not command.startswith("#"):
                    found.append((document, command))
    return found


def simple_commands(line: str) -> list[list[str]]:
    """The commands of one line as words, without leading variable assignments."""
    parts = re.split(r"&&|\|\||[|;]", line)
    split = [[w for w in part.split() if not re.match(r"[A-Z_]+=", w)] for part in parts]
    return [words for words in split if words]


COMMANDS = [(document, words) for document, line in commands() for words in simple_commands(line)]


def test_the_readme_opens_with_the_two_commands():
    in_readme = [words for document, words in COMMANDS if document == Path("README.md")]
    assert in_readme[:2] == [["scripts/bench"], ["scripts/test"]]


@pytest.mark.parametrize(
    ("document", "words"), COMMANDS, ids=[f"{d}: {' '.join(w)}" for d, w in COMMANDS]
)
def test_command_exists(document, words):
    if words[0].startswith(("scripts/", ".ci/", "plots/")):
        assert os.access(ROOT / words[0], os.X_OK), f"{document}: {words[0]} cannot be run"
        check_options(words, words[:1])
    elif words[0] == "build/cpbench":
        assert BINARY.exists(), f"{BINARY} is missing; run scripts/build cpbench"
        command = [BINARY, *words[1:2]]
        assert len(words) == 1 or words[1].startswith("-") or help_of(*command).returncode == 0, (
            f"{document}: cpbench has no command {words[1]}"
        )
        check_options(words, command)


@functools.cache
def help_of(*command):
    return subprocess.run(
        [*command, "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )


def check_options(words, command):
    options = OPTION.findall(" ".join(words))
    if not options:
        return
    shown = help_of(*command)
    text = shown.stdout + shown.stderr
    unknown = [o for o in options if not re.search(rf"{o}(?![a-z-])", text)]
    assert not unknown, f"{' '.join(words)}: not in --help: {unknown}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    targets = LINK.findall((ROOT / document).read_text())
    missing = [t for t in targets if not (ROOT / document.parent / t).exists()]
    assert not missing, f"{document} links to {missing}"
