"""Commands of the README that answer questions, as they stand there but on smaller problems."""

import re
import shlex

import pytest
from conftest import PROGRAM, ROOT, TINY, run, run_json

TOUR = re.search(
    r"^## A quick tour\n.*?```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL | re.M
)[1]
ANSWERS = [
    line
    for line in TOUR.splitlines()
    if re.match(
        r"build/cpbench (recommend|history|export)|build/cpbench run .*--(tune|shard)", line
    )
]
MADE = {"--page": "history.html", "matrix": "bytes.csv", "chakra": "traces"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A place with measured and simulated results."""
    folder = tmp_path_factory.mktemp("tour")
    words = ["--output", "results/runs/quick"]
    assert run("run", "--strategy", "ring", *TINY, *words, cwd=folder).returncode == 0
    simulate = "run --strategy ring --workload pile --backend simulate --cluster h100".split()
    _, rows = run_json(*simulate, "--output", "results/runs/simulated", cwd=folder)
    (folder / "RESULT.h5").write_bytes((folder / rows[0]["file"]).read_bytes())
    return folder


def test_the_tour_has_them():
    assert len(ANSWERS) >= 7


@pytest.mark.parametrize("line", ANSWERS)
def test_a_command_of_the_tour_does_what_it_says(line, folder):
    words = shlex.split(line, comments=True)[1:]
    words = ["4K" if word == "128K" else word for word in words]
    if words[1] == "quick_h100":
        words += ["--tokens", "4K", "--packs", "1"]
    done = run(*words, cwd=folder)
    assert done.returncode == 0, f"{PROGRAM} {shlex.join(words)}: {done.stderr}"
    for word, file in MADE.items():
        assert word not in words or (folder / file).exists()
    assert done.stdout or words[0] in ("export", "history")
