"""Result files from the real writer, cpbench_sample_results; CPBENCH_SAMPLE_RESULTS names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "plots"))

import results  # noqa: E402
import style  # noqa: E402


def write_samples(folder, *strategies, simulated=False):
    default = ROOT / "build/tests/plots/cpbench_sample_results"
    program = Path(os.environ.get("CPBENCH_SAMPLE_RESULTS", default))
    assert program.exists(), f"{program} is missing; build cpbench_sample_results"
    flags = ["--simulated"] if simulated else []
    subprocess.run([program, *flags, folder, *strategies], check=True)
    return folder


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def crowd(tmp_path_factory):
    """Every known strategy on four workloads, one with a long name, and two rank counts."""
    return results.load_runs(write_samples(tmp_path_factory.mktemp("crowd"), *style.KNOWN))


@pytest.fixture(scope="session")
def simulated_samples(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("simulated"), simulated=True)


@pytest.fixture(scope="session")
def validation(tmp_path_factory):
    """The samples, each both measured and simulated."""
    folder = write_samples(tmp_path_factory.mktemp("validation"))
    return write_samples(folder, simulated=True)


@pytest.fixture(scope="session")
def crowded_validation(crowd, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated_crowd")
    return crowd + results.load_runs(write_samples(folder, *style.KNOWN, simulated=True))
