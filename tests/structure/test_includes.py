"""Include arrows run one way, and each outside library is used in the folders that own it.

`USES` is the specification: a folder may include itself and the folders in its row. Tests in a
folder obey the same row (and may include GoogleTest); tests/ may include everything.
"""

import re
from pathlib import Path

import pytest
from tree import ROOT, own_files

PLANNING = {"methods", "baselines"} | {
    f"harness/{name}" for name in ("plan", "cost", "machines", "strategy")
}
PROGRAMS = {"harness/plan", "harness/compile", "harness/timeline"}
EXECUTORS = {"harness/execute", "harness/execute/processes", "harness/execute/gpus"}
# What runs a job puts together, and what shows it.
BELOW_RUN = PLANNING | PROGRAMS | EXECUTORS | {"workloads"} | {
    f"harness/{name}" for name in ("measure", "presets", "programs", "simulate", "spec", "store")
}  # fmt: skip
ALL = BELOW_RUN | {"harness/chakra", "harness/cli", "harness/execute_cuda", "harness/run", "tests"}
USES = {
    "harness/source_tree": set(),
    "harness/plan": set(),
    "harness/presets": {"harness/plan"},
    "harness/programs": {"harness/plan"},
    "harness/spec": {"harness/plan"},
    "harness/cost": {"harness/plan"},
    "harness/machines": {"harness/plan", "harness/cost", "harness/presets"},
    "harness/strategy": {"harness/plan", "harness/programs", "harness/cost"},
    "methods": PLANNING,
    "baselines": PLANNING,
    "harness/compile": {"harness/plan"},
    "harness/timeline": set(),
    "harness/execute": PROGRAMS,
    "harness/execute/processes": PROGRAMS | {"harness/execute"},
    "harness/execute/gpus": PROGRAMS | {"harness/execute", "harness/execute/processes"},
    "harness/execute_torch": PROGRAMS | {"harness/execute", "harness/execute/processes"},
    "harness/execute_mpi": {"harness/plan", "harness/execute", "harness/execute/processes"},
    "harness/execute_cuda": PROGRAMS | EXECUTORS,
    "harness/simulate": PROGRAMS | {"harness/cost", "harness/machines", "harness/programs"},
    "harness/chakra": PROGRAMS | {"harness/simulate"},
    "harness/measure": {"harness/plan", "harness/spec", "harness/timeline"},
    "harness/store": {"harness/plan", "harness/spec", "harness/timeline"}
    | {"harness/measure", "harness/programs"},
    "workloads": {"harness/plan", "harness/presets"},
    "harness/run": BELOW_RUN,
    "harness/cli": BELOW_RUN | {"harness/chakra", "harness/run"},
    "tests": ALL,
}
# Libraries that belong to certain folders, by the beginning of their includes.
OWNED = {
    "LibTorch": (
        r"(torch|ATen|c10|caffe2)/",
        {"harness/execute_torch", "harness/execute_cuda/flash/*", "tests"},
    ),
    "cuDNN": (r"cudnn", {"harness/execute_cuda/cudnn/*"}),
    "MPI": (r"mpi\.h$", {"harness/execute_mpi"}),
    "CUDA": (r"cuda\w*\.h$|nvtx3/", {"harness/execute_cuda", "tests"}),
    "NCCL": (r"nccl\.h$", {"harness/execute_cuda", "tests"}),
    "HDF5": (r"(H5\w*|hdf5\w*)\.h$", {"harness/store", "tests"}),
    "CBC": (r"(coin|coin-or)/|(Cbc|Osi|Clp|Coin)\w*\.h", {"harness/strategy/integer_program*"}),
    "SimGrid": (r"(simgrid|xbt)/", {"harness/simulate/simgrid/*"}),
    "METIS": (r"metis\.h$", {"baselines/*/metis_*"}),
    "Protobuf": (r"google/protobuf/", {"harness/chakra"}),
    "CLI11": (
        r"CLI/",
        {"harness/cli/cli.*", "harness/cli/command.*", "harness/cli/help.*", "tests"},
    ),
    "toml++": (r"toml\+\+/", {"harness/presets", "tests"}),
    "Google Benchmark": (r"benchmark/", {"tests"}),
}
# The C++ standard library, and C headers that it also has under their C names.
STANDARD = re.compile(r"[a-z_0-9]+$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
SOURCES = own_files("*.h", "*.cc", "*.cu", "*.in")


def folder_of(path: Path) -> str:
    """The row of `USES` that a file belongs to: the deepest folder that has one."""
    for depth in (3, 2):
        name = "/".join(path.parts[:depth])
        if name in USES:
            return name
    return "/".join(path.parts[:2]) if path.parts[0] == "harness" else path.parts[0]


def includes_of(path: Path) -> list[tuple[str, str]]:
    return INCLUDE.findall((ROOT / path).read_text(errors="replace"))


def is_generated(folder: str, name: str) -> bool:
    """Whether the folder's build writes the header: CMakeLists.txt has its name, without folder."""
    build = ROOT / folder / "CMakeLists.txt"
    return "/" not in name and build.is_file() and name in build.read_text()


def violations(path: Path, includes: list[tuple[str, str]]) -> list[str]:
    folder = folder_of(path)
    found = []
    for bracket, name in includes:
        if bracket == '"':
            if is_generated(folder, name):
                continue
            if not name.startswith(tuple(f"{target}/" for target in USES)):
                found.append(f'"{name}" does not start at the root')
            elif folder_of(Path(name)) not in USES[folder] | {folder, "harness/source_tree"}:
                found.append(f'"{name}": {folder} may use {sorted(USES[folder]) or "nothing"}')
            continue
        if STANDARD.match(name):
            continue
        owners = next((o for pattern, o in OWNED.values() if re.match(pattern, name)), None)
        if owners is not None:
            # An owner is a folder, or a pattern of files within one.
            if folder not in owners and not any(path.match(o) for o in owners if "*" in o):
                found.append(f"<{name}> belongs in {sorted(owners)}")
        elif name.startswith("gtest/"):
            if folder != "tests" and not re.search(r"_test\.|^test_|_for_tests\.", path.name):
                found.append(f"<{name}> belongs in tests")
        elif folder in PLANNING - {"harness/machines"} | {"harness/timeline"}:
            found.append(f"<{name}>: {folder} may use only the standard library")
    return found


def code_of(folder_test=lambda folder: True) -> list[Path]:
    return [p for p in SOURCES if p.parts[0] != "scripts" and folder_test(folder_of(p))]


def test_every_folder_with_code_has_a_row():
    assert {folder_of(p) for p in code_of()} <= set(USES)


@pytest.mark.parametrize("folder", sorted(USES))
def test_arrows_run_one_way(folder):
    wrong = [
        f"{path}: {text}"
        for path in code_of(lambda f: f == folder)
        for text in violations(path, includes_of(path))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "bracket", "name"),
    [
        ("harness/plan/plan.cc", '"', "harness/strategy/strategy.h"),
        ("harness/plan/plan.cc", "<", "fmt/format.h"),
        ("harness/plan/plan.cc", "<", "gtest/gtest.h"),
        ("harness/compile/compile.cc", '"', "harness/execute/execute.h"),
        ("harness/compile/compile.cc", "<", "ATen/ATen.h"),
        ("harness/measure/metrics.cc", "<", "hdf5.h"),
        ("harness/execute/processes/wire.cc", "<", "mpi.h"),
        ("harness/execute/gpu.cc", "<", "cuda_runtime_api.h"),
        ("harness/execute/processes/wire.cc", "<", "nccl.h"),
        ("harness/run/run_job.cc", '"', "harness/execute_cuda/rows.h"),
        ("harness/run/outcome.cc", '"', "harness/cli/table.h"),
        ("harness/execute/threads.cc", '"', "harness/execute/processes/wire.h"),
        ("harness/run/suite.cc", "<", "toml++/toml.h"),
        ("harness/store/store.cc", '"', "store_file.h"),
        ("methods/flashcp/plan.cc", "<", "coin/Cbc_C_Interface.h"),
        ("methods/flashcp/plan.cc", "<", "unistd.h"),
        ("workloads/npy.cc", '"', "harness/store/store.h"),
        ("harness/simulate/engine.cc", "<", "simgrid/s4u.hpp"),
        ("harness/execute/kernel.cc", "<", "cuda_runtime_api.h"),
        ("harness/execute_cuda/rows.cu", "<", "ATen/ops/empty.h"),
        ("harness/execute_cuda/flash/flash_kernel.cc", "<", "cudnn_frontend.h"),
    ],
)
def test_a_wrong_arrow_is_found(path, bracket, name):
    assert len(violations(Path(path), [(bracket, name)])) == 1


@pytest.mark.parametrize(
    ("path", "bracket", "name"),
    [
        ("harness/strategy/integer_program.cc", "<", "coin/Cbc_C_Interface.h"),
        ("harness/plan/plan_test.cc", "<", "gtest/gtest.h"),
        ("harness/simulate/simgrid/main.cc", "<", "simgrid/s4u.hpp"),
        ("harness/store/store.cc", "<", "hdf5.h"),
        ("harness/execute_torch/fused_kernel.cc", "<", "ATen/ops/empty.h"),
        ("harness/execute_cuda/flash/flash_kernel.cc", "<", "ATen/ops/empty.h"),
        ("harness/execute_cuda/cudnn/sdpa_graph.cc", "<", "cudnn_frontend.h"),
        ("harness/cli/main.cc", '"', "workloads/workload.h"),
        ("harness/execute_cuda/rows.cu", "<", "cuda_runtime_api.h"),
        ("harness/execute_cuda/rows.cu", '"', "harness/execute/row_ops.h"),
        ("baselines/ring/plan.cc", "<", "vector"),
    ],
)
def test_a_right_arrow_passes(path, bracket, name):
    assert violations(Path(path), [(bracket, name)]) == []
