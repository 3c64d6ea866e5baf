"""Generated tables are up to date, and READMEs that list their files name their folders too."""

import re
import subprocess

import pytest
from tree import BINARY, ROOT, own_files

LISTING = [
    doc for doc in own_files("*.md") if "scripts/tables: files ." in (ROOT / doc).read_text()
]


def test_generated_tables_are_up_to_date():
    command = [ROOT / "scripts/tables", "--check", "--cpbench", BINARY]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}to fix it: scripts/tables"


@pytest.mark.parametrize("document", LISTING, ids=str)
def test_a_readme_that_lists_its_files_names_its_folders(document):
    text, depth = (ROOT / document).read_text(), len(document.parts)
    own = own_files(str(document.parent))
    folders = {path.parts[depth - 1] for path in own if len(path.parts) > depth}
    assert folders
    assert [name for name in sorted(folders) if not re.search(rf"`{name}/", text)] == []


def test_the_folders_of_commands_and_figures_list_their_files():
    assert {document.parts[0] for document in LISTING} >= {"scripts", "plots"}
