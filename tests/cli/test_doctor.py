"""doctor: what this machine has, and this machine as a cluster to simulate."""

import os
import re

import pytest
from conftest import assert_refused, executable, fake, needs_cuda, run, run_json

SIMULATE = [
    *("run", "--strategy", "allgather", "--workload", "fixed:tokens=100", "--tokens", "1K"),
    *("--ranks", "2", "--backend", "simulate", "--cluster"),
]


def with_gpus(folder, lines):
    """An environment whose nvidia-smi prints these lines."""
    executable(folder / "nvidia-smi", f"cat <<'END'\n{lines}END\n")
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_everything_is_named():
    done, rows = run_json("doctor")
    assert done.returncode == 0
    found = {row["name"]: row for row in rows}
    libraries = {"LibTorch", "HDF5", "CBC", "METIS", "Protobuf", "SimGrid", "MPI"}
    assert {"cores", "memory", "GPUs"} | libraries <= set(found)
    for row in rows:
        assert row["found"] and row["used for"]
        assert bool(row["how to get it"]) == (row["found"] == "no"), row


@needs_cuda
@pytest.mark.parametrize("environment", [None, fake(FAKE_GPU_COUNT=0)])
def test_versions_of_gpu_libraries_are_named_without_a_gpu(environment):
    _, rows = run_json("doctor", env=environment)
    found = {row["name"]: row["found"] for row in rows}["GPU code"]
    assert re.fullmatch(r"CUDA \d+\.\d+, NCCL 2\.\d+\.\d+(, cuDNN 9\.\d+\.\d+)?"
                        r"(, FlashAttention-3 \S+)?", found)  # fmt: skip


@needs_cuda
def test_flashattention_3_is_named_where_it_is(tmp_path):
    library = tmp_path / "built.so"
    for there in (False, True):
        if there:
            library.touch()
        _, rows = run_json("doctor", env=os.environ | {"CPBENCH_FLASH_ATTN_3": str(library)})
        found = next(row["found"] for row in rows if row["name"] == "GPU code")
        assert ("FlashAttention-3" in found) == there


def test_missing_programs_come_with_how_to_get_them(tmp_path):
    _, rows = run_json("doctor", env={**os.environ, "PATH": str(tmp_path)})
    found = {row["name"]: row for row in rows}
    assert found["MPI"]["found"] == "no" and "openmpi-bin" in found["MPI"]["how to get it"]
    assert found["NVIDIA driver"]["found"] == "no" and found["GPUs"]["found"] == "none"


def test_the_cluster_of_a_machine_with_gpus(tmp_path, results):
    env = with_gpus(tmp_path, "NVIDIA H100 80GB HBM3, 81559\n" * 4)
    _, rows = run_json("doctor", env=env)
    assert any("4 x NVIDIA H100 80GB HBM3, 85.52 GB each" in row["found"] for row in rows)
    file = tmp_path / "here.toml"
    file.write_text(run("doctor", "--cluster", env=env).stdout)
    text = file.read_text()
    assert "gpus_per_node = 4\n" in text and "peak_teraflops_per_second = 989.5\n" in text
    done, (row,) = run_json(*SIMULATE, file, "--output", results)
    assert done.returncode == 0 and row["status"] == "ok"


def test_the_bus_bandwidths_of_a_cluster(tmp_path):
    done, rows = run_json("doctor", "--cluster", "h100")
    assert done.returncode == 0
    found = {(row["test"], row["GPUs"]): row for row in rows}
    assert set(found) == {("sendrecv", "2")} | {
        (test, gpus)
        for test in ("all_gather", "reduce_scatter", "all_to_all")
        for gpus in ("8", "64", "256")
    }
    assert found["all_gather", "64"]["nodes"] == "8" and len(rows) == 11
    for row in rows:
        sizes = [float(row[size]) for size in ("1M", "4M", "16M", "64M", "256M", "1G", "4G")]
        assert sizes == sorted(sizes) and sizes[-1] <= float(row["limit"]), row
    text = run("doctor", "--cluster", "h100").stdout
    assert "between nodes: not measured" in text and "-b 1M -e 4G -f 4" in text


def test_a_cluster_of_one_node_has_rows_within_it_only(tmp_path):
    values = "gpus_per_node = 8\nsms = 132\nkernel = 'fa3_h100'\npeak_teraflops_per_second = 900\n"
    values += "memory_gigabytes = 80\nmemory_gigabytes_per_second = 3000\ngemm_efficiency = 0.8\n"
    values += "intra_node_gigabytes_per_second = 400\nintra_node_latency_microseconds = 10\n"
    file = tmp_path / "mine.toml"
    file.write_text(values)
    done, rows = run_json("doctor", "--cluster", file)
    assert done.returncode == 0 and {row["nodes"] for row in rows} == {"1"}
    assert "between nodes" not in run("doctor", "--cluster", file).stdout


def test_bad_clusters_are_refused(tmp_path):
    assert_refused(run("doctor", "--cluster", "h10"), "unknown cluster 'h10'", "'h100'")
    missing = tmp_path / "none.toml"
    assert_refused(run("doctor", "--cluster", missing), "none.toml", "does not exist")


def test_unknown_gpus_leave_blanks_that_are_refused(tmp_path, results):
    file = tmp_path / "here.toml"
    file.write_text(run("doctor", "--cluster", env=with_gpus(tmp_path, "Tesla T4, 15360\n")).stdout)
    assert "memory_gigabytes = 16.1061\n" in file.read_text()
    done = run(*SIMULATE, file, "--output", results)
    assert done.returncode == 2 and "here.toml: 'sms' is missing" in done.stderr


def test_the_cluster_of_a_machine_without_gpus(tmp_path, results):
    if run_json("doctor")[1][-1]["found"] != "none":
        pytest.skip("this machine has GPUs")
    file = tmp_path / "here.toml"
    done = run("doctor", "--cluster")
    assert done.returncode == 0 and "measuring" in done.stderr
    file.write_text(done.stdout)
    words = [*SIMULATE, file, "--dtype", "float32", "--output", results]
    words[words.index("--ranks") + 1] = "1"
    done, (row,) = run_json(*words)
    assert done.returncode == 0 and row["status"] == "ok" and row["metrics"]["mfu"] < 1
