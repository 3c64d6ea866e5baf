"""scripts/new_strategy: what it refuses, and that it writes formatted code. The scaffold_* tests of
CTest (CMakeLists.txt) build what it writes and run the contract and golden tests on it."""

import shutil
import subprocess

import pytest
from tree import ROOT


@pytest.fixture
def tree(tmp_path):
    """A copy of the script and what it needs, because it writes into its own repository."""
    (tmp_path / "scripts").mkdir()
    for name in ("new_strategy", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    shutil.copytree(ROOT / "scripts/templates", tmp_path / "scripts/templates")
    return tmp_path


def new_strategy(tree, *arguments):
    return subprocess.run(
        [tree / "scripts/new_strategy", *arguments], capture_output=True, text=True, check=False
    )


def files_of(tree):
    return sorted(
        str(p.relative_to(tree))
        for p in tree.rglob("*")
        if p.is_file() and p.relative_to(tree).parts[0] != "scripts"
    )


@pytest.mark.parametrize(("extra", "kind"), [((), "methods"), (("baselines",), "baselines")])
def test_writes_one_complete_folder(tree, extra, kind):
    made = new_strategy(tree, "two_words2", *extra)
    assert made.returncode == 0, made.stderr
    assert files_of(tree) == [
        f"{kind}/two_words2/{name}"
        for name in ("README.md", "golden/two_documents.txt", "plan.cc", "plan_test.cc")
    ]
    text = "".join((tree / name).read_text() for name in files_of(tree))
    assert "@" not in text
    assert "strategy_two_words2" in text
    assert "TEST(TwoWords2," in text


@pytest.mark.parametrize("name", ["m", "x" * 40])
def test_written_code_is_formatted(tree, name):
    assert new_strategy(tree, name).returncode == 0
    shutil.copy(ROOT / ".clang-format", tree)
    formatter = ROOT / ".venv/bin/clang-format"
    sources = sorted((tree / "methods" / name).glob("*.cc"))
    found = subprocess.run(
        [formatter, "--dry-run", "--Werror", *sources], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "name the strategy"),
        (("",), "name the strategy"),
        (("Ring",), "'Ring' is not a valid name"),
        (("2ring",), "'2ring' is not a valid name"),
        (("a-b",), "'a-b' is not a valid name"),
        (("a__b",), "'a__b' is not a valid name"),
        (("../x",), "'../x' is not a valid name"),
        (("exec",), "external planners"),
        (("x" * 41,), "41 characters"),
        (("fine", "plugins"), "methods or baselines"),
        (("fine", "methods", "more"), "too many arguments"),
    ],
)
def test_refuses(tree, arguments, complaint):
    refused = new_strategy(tree, *arguments)
    assert refused.returncode == 2
    assert complaint in refused.stderr
    assert files_of(tree) == []


def test_refuses_a_name_that_is_taken_in_either_folder(tree):
    assert new_strategy(tree, "ring", "baselines").returncode == 0
    before = files_of(tree)
    refused = new_strategy(tree, "ring")
    assert refused.returncode == 2
    assert "baselines/ring exists already" in refused.stderr
    assert files_of(tree) == before
