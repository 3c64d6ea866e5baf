"""Result files by the real writer: CPBENCH_SAMPLE_RESULTS names the program, ctest sets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "plots"))


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    default = ROOT / "build/tests/plots/cpbench_sample_results"
    program = Path(os.environ.get("CPBENCH_SAMPLE_RESULTS", default))
    assert program.exists(), f"{program} is missing; build cpbench_sample_results"
    folder = tmp_path_factory.mktemp("runs")
    subprocess.run([program, folder], check=True)
    return folder
