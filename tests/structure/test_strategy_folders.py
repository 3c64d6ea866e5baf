"""Every strategy folder is complete: a plan, tests, and a README with the common sections."""

import re

import pytest
from tree import ROOT, own_files, strategy_folders

FOLDERS = strategy_folders()
# Topics of each README, with a pattern for the headings.
SECTIONS = {
    "what moves": r"what moves",
    "steps and bytes in closed form": r"bytes",
    "map from the paper's sections to the code": r"code",
    "deviations from the source": r"deviations",
}
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def names(folders):
    return [str(folder) for folder in folders]


def test_a_name_is_used_once():
    stems = [folder.name for folder in FOLDERS]
    assert len(stems) == len(set(stems)), stems


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_folder_defines_the_strategy_of_its_name(folder):
    source = (ROOT / folder / "plan.cc").read_text()
    assert f"const Strategy strategy_{folder.name} " in source
    assert re.search(rf'"{folder.name}"', source), "the registry name differs from the folder's"


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_readme_has_the_common_sections(folder):
    headings = " / ".join(HEADING.findall((ROOT / folder / "README.md").read_text())).lower()
    missing = [what for what, pattern in SECTIONS.items() if not re.search(pattern, headings)]
    assert not missing, f"{folder}/README.md has no section on: {', '.join(missing)}"


@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_folder_has_tests_and_golden_plans(folder):
    assert own_files(f"{folder}/*_test.cc"), f"no {folder}/*_test.cc"
    assert own_files(f"{folder}/golden/*.txt"), f"no {folder}/golden/*.txt"
