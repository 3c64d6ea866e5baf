"""Result files by the real writer: CPBENCH_SAMPLE_RESULTS names the program, ctest sets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "plots"))

import style  # noqa: E402


def write_samples(folder, *strategies):
    default = ROOT / "build/tests/plots/cpbench_sample_results"
    program = Path(os.environ.get("CPBENCH_SAMPLE_RESULTS", default))
    assert program.exists(), f"{program} is missing; build cpbench_sample_results"
    subprocess.run([program, folder, *strategies], check=True)
    return folder


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def crowd(tmp_path_factory):
    """Every known strategy on four workloads, one with a long name, and two rank counts."""
    return write_samples(tmp_path_factory.mktemp("crowd"), *style.KNOWN)
