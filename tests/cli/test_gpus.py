"""The backends that use GPUs, on fake ones: the real module with tests/fake_gpu below it."""

import json
import os
import re
import subprocess

import h5py
import pytest
from conftest import (
    BUILD,
    PROGRAM,
    ROOT,
    assert_refused,
    executable,
    fake,
    needs_cuda,
    run,
    run_json,
)

TINY = [
    *("--workload", "uniform:min=1,max=60", "--tokens", "200", "--ranks", "4"),
    *("--shape", "tiny_gqa", "--kernel", "reference", "--dtype", "float64", "--iterations", "1"),
]
ONE_PROCESS = ["--backend", "nccl", "--one-process"]


@needs_cuda
@pytest.mark.parametrize(
    "backend", [["nccl"], ["nccl", "--one-process"], ["cuda", "--layer", "layer"]]
)
def test_every_strategy_computes_what_the_reference_computes(results, backend):
    words = ["run", "--strategy", "all", "--backend", *backend, *TINY, "--output", results]
    if "--layer" in words:  # products of matrices are slow on a fake GPU
        words[words.index("tiny_gqa")] = "tiny_layer"
        words[words.index("200")] = "48"
    done, rows = run_json(*words, env=fake())
    assert done.returncode == 0, done.stderr
    assert len(rows) >= 28
    unsupported = [row["strategy"] for row in rows if row["status"] == "unsupported"]
    assert unsupported == ["halo"]  # it is for sliding windows
    for row in rows:
        if row["strategy"] == "halo":
            continue
        assert row["status"] == "ok", row["error"]
        assert row["metrics"]["max_error_output"] < 1e-10
        assert row["metrics"]["max_error_gradient"] < 1e-10
        assert row["metrics"]["counted_bytes"] == row["metrics"]["wire_bytes"]


@needs_cuda
def test_ranks_may_share_a_gpu_and_then_have_no_utilisation(results):
    done, rows = run_json(
        *("run", "--strategy", "fcp", "--backend", "cuda", *TINY, "--output", results),
        env=fake(FAKE_GPU_COUNT=1),
    )
    assert done.returncode == 0, done.stderr
    assert rows[0]["oversubscribed"] is True
    assert "mfu" not in rows[0]["metrics"]


@needs_cuda
def test_iterations_as_graphs_compute_the_same(results):
    words = ["run", "--strategy", "ring", "--backend", "nccl", *TINY, "--output", results]
    done, rows = run_json(*words, "--graph", "off,on", env=fake())
    assert done.returncode == 0, done.stderr
    assert [row["graph"] for row in rows] == ["off", "on"]
    assert rows[0]["metrics"]["max_error_output"] == rows[1]["metrics"]["max_error_output"]


@needs_cuda
def test_copies_are_captured_in_graphs_with_a_gpu_for_each_rank(results):
    words = ["run", "--strategy", "ring,ulysses,fcp", "--backend", "cuda", *TINY]
    done, rows = run_json(*words, "--graph", "off,on", "--output", results, env=fake())
    assert done.returncode == 0, done.stderr
    assert sorted(row["graph"] for row in rows) == 3 * ["off"] + 3 * ["on"]
    for row in rows:
        assert row["oversubscribed"] is False
        assert row["metrics"]["max_error_gradient"] < 1e-10
    shared = run(*words, "--graph", "on", env=fake(FAKE_GPU_COUNT=2))
    assert_refused(shared, "needs a GPU for each of 4 ranks and this machine has 2")


@needs_cuda
def test_a_sweep_has_runs_of_several_processes_and_of_one(results):
    words = ["run", "--strategy", "ring", *TINY, "--backend", "nccl,cuda", "--timeout", "20"]
    done, rows = run_json(*words, "--output", results, env=fake())
    assert done.returncode == 0, done.stderr
    assert [(row["backend"], row["status"]) for row in rows] == [("nccl", "ok"), ("cuda", "ok")]


@needs_cuda
def test_power_and_slowdowns_during_the_samples_are_provenance(results):
    done, rows = run_json(
        *("run", "--strategy", "ring", "--backend", "nccl", *TINY, "--output", results),
        env=fake(FAKE_NVML_REASONS=0x44, NCCL_MAX_CTAS=4, CUDA_DEVICE_MAX_CONNECTIONS=1),
    )
    assert done.returncode == 0, done.stderr
    with h5py.File(rows[0]["file"]) as file:
        known = file["provenance"].attrs
        assert known["gpu_watts"] == b"mean 300, highest 300"
        assert known["gpu_slowdowns"] == b"power cap, heat (hardware)"
        assert known["cuda_driver"] == b"1.2.3"
        settings = known["environment"].decode().splitlines()
        assert {"NCCL_MAX_CTAS=4", "CUDA_DEVICE_MAX_CONNECTIONS=1"} <= set(settings)


@needs_cuda
def test_a_seed_of_delays_changes_no_result(results):
    errors = set()
    for seed in range(3):
        _, rows = run_json(
            *("run", "--strategy", "fcp,zigzag", "--backend", "nccl", *TINY),
            *("--output", results / str(seed)),
            env=fake(FAKE_GPU_SEED=seed, FAKE_GPU_DELAY_US=300),
        )
        errors.add(tuple(row["metrics"]["max_error_gradient"] for row in rows))
    assert len(errors) == 1


def runs_of_processes(port, words, settings_of, count=2):
    """Starts them as a launcher does on one machine; returns the rows that the first one prints."""
    processes = [
        subprocess.Popen(
            [PROGRAM, "run", *map(str, words), "--format", "json", "--timeout", "60"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=fake(
                RANK=rank, WORLD_SIZE=count, LOCAL_RANK=rank, LOCAL_WORLD_SIZE=count,
                MASTER_ADDR="127.0.0.1", MASTER_PORT=port, **settings_of(rank),
            ),
        )
        for rank in range(count)
    ]  # fmt: skip
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, ended
    assert all(output == "" for output, _ in ended[1:])
    return json.loads(ended[0][0])


def world_size(file):
    """What a launcher set, by the provenance of a result."""
    with h5py.File(file) as result:
        return re.findall(r"WORLD_SIZE=(\d+)", result["provenance"].attrs["environment"].decode())


@needs_cuda
def test_each_gpu_gets_a_process_without_a_launcher(results):
    words = ["run", "--strategy", "ring", "--backend", "nccl", *TINY, "--output"]
    done, (row,) = run_json(*words, results, env=fake())
    assert done.returncode == 0 and row["status"] == "ok", done.stderr
    assert world_size(row["file"]) == ["4"]
    _, (row,) = run_json(*words, results / "one", "--one-process", env=fake())
    assert world_size(row["file"]) == []


@needs_cuda
def test_processes_of_a_launcher_run_together(results):
    words = ["--strategy", "flashcp,fcp", "--backend", "nccl", *TINY, "--output", results]
    rows = runs_of_processes(29731, words, lambda _: {})
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert rows[0]["metrics"]["counted_bytes"] == rows[0]["metrics"]["wire_bytes"]


@needs_cuda
def test_processes_on_hosts_of_their_own_may_share_a_gpu(results):
    words = [*TINY, "--strategy", "allgather,fcp", "--backend", "nccl", "--output", results]
    words[words.index("--ranks") + 1] = 2
    words += ["--nodes", 2]
    rows = runs_of_processes(
        29732, words, lambda rank: {"FAKE_GPU_COUNT": 1, "NCCL_HOSTID": f"host{rank}"}
    )
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert rows[0]["oversubscribed"] is True


@needs_cuda
def test_a_process_of_a_launcher_uses_only_its_own_gpus(results):
    """Each process also computes the reference and the plain run of the dtype."""
    words = ["--strategy", "ring", "--backend", "nccl", *TINY, "--output", results]
    words[words.index("float64")] = "float32"
    words[words.index("--ranks") + 1] = 2
    rows = runs_of_processes(
        29734, words, lambda rank: {"FAKE_GPU_COUNT": 2, "FAKE_GPU_FULL": 1 - rank}
    )
    assert rows[0]["status"] == "ok", rows[0]["error"]


@needs_cuda
def test_processes_agree_when_the_next_run_has_its_ranks_elsewhere(results):
    """On two hosts of two GPUs: process 0 has rank 0 in both runs, the others change."""
    words = [*TINY, "--strategy", "ring", "--backend", "nccl", "--output", results]
    words[words.index("--ranks") + 1] = 2
    rows = runs_of_processes(
        *(29733, [*words, "--nodes", "1,2"]),
        *(lambda rank: {"FAKE_GPU_COUNT": 2, "NCCL_HOSTID": f"host{rank // 2}"}, 4),
    )
    assert [row["status"] for row in rows] == ["ok", "ok"]


@needs_cuda
def test_replay_times_kernels_and_simulates_the_rest(results):
    done, rows = run_json(
        *("run", "--strategy", "ring,flashcp", "--backend", "replay", "--cluster", "h100"),
        *("--workload", "uniform:min=1,max=60", "--tokens", "800", "--ranks", "16"),
        *("--shape", "tiny", "--kernel", "reference", "--iterations", "1", "--output", results),
        env=fake(FAKE_GPU_COUNT=1),
    )
    assert done.returncode == 0, done.stderr
    for row in rows:
        assert row["status"] == "ok", row["error"]
        assert row["simulated"] is True
        assert "replayed on Fake GPU" in row["model_error"]
        assert "max_error_output" not in row["metrics"]
        assert row["metrics"]["attention_seconds"] > 0


@needs_cuda
def test_an_error_of_the_library_ends_a_run_and_names_the_place(results):
    done, rows = run_json(
        *("run", "--strategy", "ring,ulysses", *ONE_PROCESS, *TINY, "--output", results),
        env=fake(FAKE_NCCL_ERROR_AFTER=6),
    )
    assert done.returncode == 1
    for row in rows:
        assert row["status"] == "failed"
        assert row["error"].startswith("rank ")
        assert "remote process exited or there was a network error" in row["error"]
    assert " step " in rows[0]["error"]


@needs_cuda
def test_an_error_in_a_graph_ends_a_run(results):
    """NCCL aborts only after the graphs that use it are destroyed."""
    done, rows = run_json(
        *("run", "--strategy", "ring", *ONE_PROCESS, *TINY, "--output", results),
        *("--graph", "on", "--timeout", "20"),
        env=fake(FAKE_NCCL_ERROR_AFTER=25),
    )
    assert done.returncode == 1
    assert "remote process exited or there was a network error" in rows[0]["error"]


@needs_cuda
def test_a_rank_that_stops_ends_a_run_within_the_timeout(results):
    done, rows = run_json(
        *("run", "--strategy", "ring", *ONE_PROCESS, *TINY, "--output", results),
        *("--timeout", "2"),
        env=fake(FAKE_NCCL_ABSENT_RANK=2, FAKE_NCCL_ABSENT_AFTER=8),
    )
    assert done.returncode == 1
    assert "no progress for 2 s" in rows[0]["error"]


@needs_cuda
def test_a_stall_in_a_collective_is_named(results):
    done, rows = run_json(
        *("run", "--strategy", "allgather", *ONE_PROCESS, *TINY, "--output", results),
        *("--timeout", "2"),
        env=fake(FAKE_NCCL_ABSENT_RANK=2, FAKE_NCCL_ABSENT_AFTER=8),
    )
    assert done.returncode == 1
    assert "no progress for 2 s, waiting for all ranks in a collective" in rows[0]["error"]


@needs_cuda
def test_a_rank_that_never_arrives_ends_the_sweep(results):
    done = run(
        *("run", "--strategy", "ring", *ONE_PROCESS, *TINY, "--output", results),
        *("--timeout", "2"),
        env=fake(FAKE_NCCL_ABSENT_RANK=2),
    )
    assert done.returncode == 1
    assert "NCCL did not connect all ranks within 2 s" in done.stderr


@needs_cuda
def test_what_does_not_fit_is_refused_with_the_numbers(results):
    done, rows = run_json(
        *("run", "--strategy", "ring", "--backend", "cuda", *TINY, "--output", results),
        env=fake(FAKE_GPU_MEMORY=300_000),
    )
    assert done.returncode == 1
    assert rows[0]["status"] == "oom"
    assert "and has 0.0003 GB free" in rows[0]["error"]


@needs_cuda
def test_links_are_calibrated_into_a_cluster_file(tmp_path):
    file = tmp_path / "here.toml"
    gpus = fake(FAKE_GPU_COUNT=3, FAKE_GPU_MEMORY=40_000_000, FAKE_GPU_DELAY_US=0)
    done = run("calibrate", "nccl", "--cluster", "h100", "--output", file, env=gpus)
    assert done.returncode == 0, done.stderr
    rows = [line.split()[:3] for line in done.stdout.splitlines()]
    for exchange, ranks in (("all_gather", "2"), ("all_gather", "3"), ("reduce_scatter", "2"),
                            ("reduce_scatter", "3"), ("shift", "3")):  # fmt: skip
        assert [exchange, ranks, "9"] in rows
    written = file.read_text()
    assert "gpus_per_node = 3" in written
    assert "cpbench calibrate nccl" in written
    assert written.count("[[all_gather]]") == 2
    used, rows = run_json(
        *("run", "--strategy", "ring", "--backend", "simulate", "--cluster", file),
        *("--tokens", "3K", "--ranks", "3", "--workload", "fixed:tokens=3K"),
        *("--output", tmp_path / "runs"),
    )
    assert used.returncode == 0, used.stderr
    assert rows[0]["status"] == "ok"


@needs_cuda
def test_bad_links_faster_than_those_of_the_cluster(tmp_path):
    slow, file = tmp_path / "slow.toml", tmp_path / "here.toml"
    shipped = (ROOT / "harness" / "machines" / "clusters" / "h100.toml").read_text()
    pattern = r"(?m)^(achieved_)?intra_node_gigabytes_per_second = .*"
    slow.write_text(re.sub(pattern, r"\1intra_node_gigabytes_per_second = 1e-6", shipped))
    gpus = fake(FAKE_GPU_COUNT=2, FAKE_GPU_MEMORY=40_000_000, FAKE_GPU_DELAY_US=0)
    done = run("calibrate", "nccl", "--cluster", slow, "--output", file, env=gpus)
    assert_refused(done, "here.toml", "achieved_intra_node_gigabytes_per_second", "nominal rate")
    assert not file.exists()


@needs_cuda
def test_bad_links_of_one_gpu(tmp_path):
    done = run("calibrate", "nccl", "--output", tmp_path / "a.toml", env=fake(FAKE_GPU_COUNT=1))
    assert_refused(done, "requires 2 GPUs or more")


@needs_cuda
def test_bad_links_of_unknown_gpus(tmp_path):
    done = run("calibrate", "nccl", "--output", tmp_path / "a.toml", env=fake())
    assert_refused(done, "no shipped cluster has these GPUs (Fake GPU)", "--cluster")


@needs_cuda
def test_bad_too_few_gpus():
    done = run("run", "--strategy", "ring", "--backend", "nccl", *TINY, env=fake(FAKE_GPU_COUNT=2))
    assert_refused(done, "--ranks 4", "needs 4 GPUs and this machine has 2", "--backend cuda")


@needs_cuda
def test_bad_no_gpu():
    done = run("run", "--strategy", "ring", "--backend", "cuda", *TINY, env=fake(FAKE_GPU_COUNT=0))
    assert_refused(done, "no GPU here")


@needs_cuda
@pytest.mark.parametrize("backend", [["nccl"], ["nccl", "--one-process"]])
def test_a_communicator_of_nccl_is_created_once_for_each_group(results, backend):
    words = ["run", "--strategy", "flexcp:degree=2", *TINY, "--packs", "2", "--output", results]
    done, (row,) = run_json(*words, "--backend", *backend, env=fake())
    assert done.returncode == 0, done.stderr
    assert row["metrics"]["communicators"] == 2  # pairs of ranks, in both packs
    with h5py.File(row["file"]) as file:
        first, second = (file[f"pack_{i}/communicator_seconds"][()] for i in range(2))
    assert first > 0 and second == 0
    assert row["metrics"]["communicator_seconds"] == first
    assert "communicator_seconds" in run("show", row["file"]).stdout


@needs_cuda
def test_copies_need_no_communicators(results):
    words = ["run", "--strategy", "ring", "--backend", "cuda", *TINY, "--output", results]
    _, (row,) = run_json(*words, env=fake())
    assert "communicator_seconds" not in row["metrics"]


@needs_cuda
def test_thread_blocks_of_nccl_are_options_of_a_run(results):
    words = ["run", "--strategy", "allgather", *ONE_PROCESS, *TINY, "--output", results]
    words += ["--max_ctas", "auto,8", "--cta_policy", "default,efficiency"]
    done, rows = run_json(*words, env=fake())
    assert done.returncode == 0, done.stderr
    assert len({row["run_id"] for row in rows}) == 4
    assert {row["max_ctas"] for row in rows} == {0, 8}
    with h5py.File(rows[-1]["file"]) as file:
        assert file.attrs["max_ctas"] == b"8" and file.attrs["cta_policy"] == b"efficiency"
    with h5py.File(rows[0]["file"]) as file:
        assert not {"max_ctas", "cta_policy"} & set(file.attrs)


@needs_cuda
def test_bad_margin_without_a_kernel_for_it():
    words = ["run", "--strategy", "ring", "--backend", "cuda", *TINY, "--sm_margin", "2"]
    words[words.index("reference")] = "auto"
    assert_refused(run(*words, env=fake()), "kernel 'reference' uses all SMs")
    assert_refused(run(*words[:-1], "1000", env=fake()), "must be fewer than the", "SMs of the GPU")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["cuda", "--max_ctas", "2"], ["--max_ctas: backend cuda does not use NCCL"]),
        (["cuda", "--cta_policy", "efficiency"], ["--cta_policy: backend cuda does not use NCCL"]),
        (["simulate", "--cluster", "h100", "--kernel", "auto", "--min_ctas", "2"],
         ["--min_ctas: backend simulate does not use NCCL", "reserved_sms of a profile"]),
        (["nccl", "--min_ctas", "9", "--max_ctas", "2"], ["--min_ctas: 9 is more than max_ctas"]),
        (["nccl", "--cta_policy", "zero"], ["unknown CTA policy 'zero'", "efficiency"]),
        (["nccl", "--sm_margin", "2"], ["--sm_margin: kernel 'reference' uses all SMs", "flash3"]),
        (["threads", "--kernel", "auto", "--sm_margin", "2"],
         ["--sm_margin: backend threads runs no attention kernel on a GPU"]),
        (["simulate", "--cluster", "h100", "--kernel", "auto", "--sm_margin", "2"],
         ["simulations have sm_margin of a profile"]),
    ],
)  # fmt: skip
def test_bad_use_of_sms(words, lines):
    tiny = ["run", "--strategy", "ring", *TINY, "--backend", *words]
    if "auto" in words:
        del tiny[tiny.index("reference") - 1 : tiny.index("reference") + 1]
    assert_refused(run(*tiny), *lines)


@needs_cuda
def test_flash3_computes_what_the_reference_computes_and_leaves_sms_free(results):
    """The program in the folder of a fake FlashAttention-3."""
    folder = BUILD / "fake_gpu" / "flash3"
    program = folder / f"cpbench_{os.getpid()}"
    program.unlink(missing_ok=True)
    os.link(PROGRAM, program)
    words = ["run", "--strategy", "ring,fcp,ulysses", "--backend", "cuda", *TINY]
    words[words.index("reference")] = "flash3"
    words[words.index("float64")] = "bfloat16"
    words += ["--sm_margin", "3", "--graph", "off,on", "--output", results, "--format", "json"]
    environment = fake(
        CPBENCH_FLASH_ATTN_3=folder / "libfake_flash_attn_3.so",
        FAKE_FLASH3_SM_MARGIN=3,
        GTEST_BREAK_ON_FAILURE=1,  # of what the library expects
    )
    try:
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True,
                              timeout=120, env=environment)  # fmt: skip
    finally:
        program.unlink()
    rows = json.loads(done.stdout)
    assert len(rows) == 6
    for row in rows:
        assert row["status"] == "ok", row["error"]
        assert row["kernel"] == "flash3" and row["sm_margin"] == 3
        assert 0 < row["metrics"]["max_error_gradient"] < 0.1


@needs_cuda
def test_bad_shape_of_a_kernel():
    words = ["run", "--strategy", "ring", "--backend", "cuda", *TINY]
    words[words.index("reference")] = "cudnn"
    assert_refused(run(*words, env=fake()), "cudnn", "float64")


def test_bad_kernel_of_another_backend():
    words = ["run", "--strategy", "ring", "--backend", "cuda", *TINY]
    words[words.index("reference")] = "fused"
    assert_refused(
        run(*words), "backend cuda has no kernel 'fused'", "cudnn, flash3, flash, reference"
    )


def test_bad_replay_without_a_cluster():
    words = ["run", "--strategy", "ring", "--backend", "replay", *TINY]
    assert_refused(run(*words), "replay needs a cluster, like --cluster h100")


def test_a_dry_run_estimates_gpus_by_their_own_peak(tmp_path):
    words = ["run", "--strategy", "ring", "--workload", "fixed:tokens=64K", "--tokens", "64K",
             "--ranks", "8", "--shape", "llama3_8b", "--backend", "nccl", "--kernel", "cudnn",
             "--dry-run"]  # fmt: skip

    def estimate(gpus):
        lines = "NVIDIA H100 80GB HBM3, 81559\n" * gpus
        executable(tmp_path / str(gpus) / "nvidia-smi", f"cat <<'END'\n{lines}END\n")
        env = {**os.environ, "PATH": f"{tmp_path / str(gpus)}:/usr/bin:/bin"}
        return run(*words, env=env).stderr.partition("the rest takes ")[2]

    assert re.fullmatch("(less than a second|about [1-4] s)\n", estimate(8))
    assert "without 1 runs on GPUs" in estimate(0)


def test_without_a_gpu_a_dry_run_still_plans():
    done, rows = run_json("run", "--strategy", "ring", "--backend", "nccl", *TINY, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert rows[0]["metrics"]["wire_bytes"] > 0
