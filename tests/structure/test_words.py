"""Words that must not come back, and what to write instead, so that every reader understands."""

import re

import pytest
from tree import ROOT, own_files

# A space in a pattern also matches a line break, with comment marks or quotes around it.
WORDS = {
    r"\bdefects?:": "internal error:",
    r"\bwants (an?|the|no)\b": "must be, expects or requires",
    r"\bis no (count|name|number|size|file|folder|path|plan|text|list)\b": "is not a valid ...",
    r"\b(anew|afresh)\b": "again",
    r"\blet(_| )go\b": "release",
    r"\bheeds?\b": "check or observe",
    r"\bbeside\b": "next to, or besides",
    r"\bthe second time they\b": "later runs",
    r"\b(say|mean|compare) (little|nothing)\b": "are unreliable, or are not meaningful",
    r"\bheld? against\b": "compare with, or validate against",
    r"\bthat (is|are) not there\b": "missing, or fake",
    r"(?<![\"/])\bcells?\b(?!\")": "run, or (query, key) pair (names in files stay)",
    r"(?<![\"/`])\bfacts?\b(?![\"/`])": "metric, property, provenance or expectation",
}
# History quotes old words; gpu_check has a stage named facts.
CLEAN = (".", ":!CHANGELOG.md", ":!LICENSE", ":!scripts/gpu_check", ":!scripts/gpu_report",
         ":!tests/cli/test_gpu_check.py")  # fmt: skip
TEXT = {"", ".md", ".py", ".sh", ".h", ".cc", ".cu", ".in", ".cmake", ".toml", ".yml", ".txt"}
THIS = "tests/structure/test_words.py"


def forbidden(text):
    """(line, the words, what to write instead) of every hit."""
    for pattern, instead in WORDS.items():
        for hit in re.finditer(pattern.replace(" ", r"[\s#/*\"']+"), text, re.IGNORECASE):
            yield text.count("\n", 0, hit.start()) + 1, " ".join(hit[0].split()), instead


def test_no_forbidden_words():
    files = [path for path in own_files(*CLEAN) if path.suffix in TEXT and str(path) != THIS]
    assert len(files) > 100
    found = [
        f"{path}:{line}: '{words}': write {instead}"
        for path in files
        for line, words, instead in forbidden((ROOT / path).read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text", ["'source' wants a text", "// it is\n// no count", 'f("say "\n  "nothing")', "let_go()"]
)
def test_forbidden_words_are_found(text):
    assert list(forbidden(text))


@pytest.mark.parametrize("text", ["besides", "is not a valid count", "is no longer", "he wanted a"])
def test_other_words_pass(text):
    assert not list(forbidden(text))
