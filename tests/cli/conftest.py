"""Runs the real program: the one that CPBENCH names, by default build/cpbench."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("CPBENCH", str(ROOT / "build" / "cpbench"))
BUILD = Path(PROGRAM).parent
LIBRARIES = [
    BUILD / "fake_gpu" / name
    for name in ("libcudart.so.13", "libnccl.so.2", "libcublas.so.13", "libnvidia-ml.so.1")
]
needs_cuda = pytest.mark.skipif(
    not all(library.exists() for library in LIBRARIES),
    reason="built without CUDA: nvcc or NCCL was not found",
)

# A run that takes a fraction of a second: two ranks, 256 tokens.
TINY = ["--workload", "fixed:tokens=100", "--tokens", "256", "--ranks", "2",
        "--dtype", "float64", "--iterations", "1"]  # fmt: skip


def start(*words, **options):
    return subprocess.Popen(
        [PROGRAM, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(*words, **options):
    return subprocess.run(
        [PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, **options
    )


def run_json(*words, **options):
    done = run(*words, "--format", "json", **options)
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout)


def executable(file, text):
    """Writes a program, which /bin/sh or the named interpreter runs, and returns its path."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text if text.startswith("#!") else "#!/bin/sh\n" + text)
    file.chmod(0o755)
    return file


def assert_refused(done, *parts):
    """Exit code 2, one line on stderr that contains all parts, and nothing on stdout."""
    lines = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("cpbench: error: ")
    for part in parts:
        assert part in lines[0], lines[0]


def fake(**settings):
    """An environment with fake GPUs (tests/fake_gpu)."""
    settings = {"FAKE_GPU_COUNT": 4, "FAKE_GPU_DELAY_US": 20, **settings}
    preload = ":".join(map(str, LIBRARIES))
    return {**os.environ, "LD_PRELOAD": preload, **{k: str(v) for k, v in settings.items()}}


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"
