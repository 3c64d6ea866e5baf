"""Simulated runs: the flags choose the models, which are named next to the times."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, assert_refused, run, run_json

SIMGRID = Path(PROGRAM).with_name("cpbench-simgrid")
SIMULATE = [
    *("run", "--strategy", "allgather,flashcp", "--workload", "fixed:tokens=1000"),
    *("--tokens", "16K", "--ranks", "8", "--backend", "simulate", "--cluster", "h100"),
]
PARTS = (
    "ideal kernel_inefficiency imbalance exposed_communication padding copies layer host other"
).split()


def rows(*words):
    done, found = run_json(*words)
    assert done.returncode == 0, done.stderr
    assert all(row["status"] == "ok" for row in found), found
    return found


def with_flags(*flags):
    words = list(SIMULATE)
    for flag, value in zip(flags[::2], flags[1::2], strict=True):
        if flag in words:
            words[words.index(flag) + 1] = value
        else:
            words += [flag, value]
    return words


def cluster_file(folder, **values):
    """A small cluster, with these values instead."""
    values = {
        **{"gpus_per_node": 8, "sms": 1, "kernel": '"fa2_h100"', "peak_teraflops_per_second": 1},
        **{"memory_gigabytes": 1, "memory_gigabytes_per_second": 1, "gemm_efficiency": 1},
        **{"intra_node_gigabytes_per_second": 1, "intra_node_latency_microseconds": 0},
        **values,
    }
    file = folder / "mine.toml"
    file.write_text("".join(f"{key} = {value}\n" for key, value in values.items()))
    return file


def test_simulated_runs_name_their_models(results):
    found = rows(*SIMULATE, "--output", results)
    for row in found:
        assert row["simulated"] and "fa3_h100" in row["model_error"]
        assert (row["nodes"], row["dtype"], row["kernel"]) == (1, "bfloat16", "fa3_h100")
        assert 0 < row["metrics"]["mfu"] < 1 and "max_error_output" not in row["metrics"]
        assert row["metrics"]["counted_bytes"] == row["metrics"]["wire_bytes"]
    table = run("show", results).stdout
    assert "Simulated times; kernel fa3_h100" in table


def test_times_state_the_error_of_published_runs_and_what_none_covers(results):
    words = with_flags("--strategy", "ring,allgather", "--ranks", "16", "--mask", "document_full")
    for row in rows(*words, "--output", results):
        assert "whole runs of kind " in row["model_error"]
        for what in ("with more than 8 ranks", "on several nodes", "with mask document_full"):
            assert f"no published run {what}" in row["model_error"]
        assert 0 < row["metrics"]["simulation_seconds"] < 60
    lines = [line for line in run("show", results).stdout.splitlines() if "Simulated" in line]
    assert len(lines) == 1
    assert "whole runs of kind ring on" in lines[0] and "kind all-gather on" in lines[0]
    assert lines[0].count("no published run with more than 8 ranks") == 1


def test_a_profile_for_one_strategy(results):
    words = with_flags("--strategy", "ring,zigzag,ulysses")
    chosen = "zigzag=ring-flash-attention,ulysses=magi-ulysses"
    found = rows(*words, "--profile", chosen, "--output", results)
    profiles = {row["strategy"]: row["profile"] for row in found}
    assert profiles == {
        "ring": "ideal", "zigzag": "ring-flash-attention", "ulysses": "magi-ulysses"
    }  # fmt: skip
    assert_refused(run(*words, "--profile", "zigzog=ideal"), "--profile", "'zigzog'", "'zigzag'")
    assert_refused(run(*words, "--profile", "zigzag=ideel"), "--profile", "'ideel'", "'ideal'")


def test_values_of_a_profile_without_a_source_are_named(tmp_path, results):
    mine = tmp_path / "mine.toml"
    mine.write_text("sm_margin = 6\nlayout_passes = 2\n[sources]\nsm_margin = 'a paper'\n")
    for row in rows(*SIMULATE, "--profile", mine, "--output", results):
        assert "profile mine (assumed: layout_passes)" in row["model_error"]
    _, profiles = run_json("list", "profiles")
    found = {row["name"]: row for row in profiles}
    assert found["flashcp-paper"]["assumed"] == "exchange_microseconds"
    assert "exchange_microseconds = 850: assumed" in found["flashcp-paper"]["values"]
    assert found["fcp-paper"]["assumed"] == ""


def test_the_old_name_of_a_profile_works_and_warns(results):
    done, found = run_json(*SIMULATE, "--profile", "paper-eager", "--output", results)
    assert done.returncode == 0 and "now called flashcp-paper" in done.stderr
    assert all("profile flashcp-paper" in row["model_error"] for row in found)


def test_the_parts_of_the_time_sum_to_the_whole(results):
    for row in rows(*with_flags("--shape", "llama3_8b"), "--output", results):
        metrics = row["metrics"]
        total = metrics["time_total"]
        assert sum(metrics["time_" + part] for part in PARTS) == pytest.approx(total, rel=1e-9)
        assert total == pytest.approx(metrics["iteration_seconds"], rel=1e-9)
        assert metrics["time_layer"] > 0
        assert metrics["mfu"] < metrics["module_mfu"] < 1


def test_nodes_follow_from_the_cluster(results):
    words = with_flags("--ranks", "4,16,64", "--strategy", "allgather")
    assert [row["nodes"] for row in rows(*words, "--output", results)] == [1, 2, 8]
    words = with_flags("--nodes", "4", "--strategy", "allgather")
    (given,) = rows(*words, "--output", results)
    assert given["nodes"] == 4 and given["metrics"]["inter_node_bytes"] > 0


def test_a_sweep_over_clusters(tmp_path, results):
    fast = {"sms": 108, "peak_teraflops_per_second": 300, "memory_gigabytes_per_second": 1500}
    links = {"intra_node_gigabytes_per_second": 100, "intra_node_latency_microseconds": 10}
    links |= {"inter_node_gigabytes_per_second": 10, "inter_node_latency_microseconds": 20}
    mine = cluster_file(tmp_path, gpus_per_node=2, memory_gigabytes=40, **fast, **links)
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'strategy = ["allgather", "ring"]\nworkload = "fixed:tokens=1000"\ntokens = "64K"\n'
        'shape = "flashcp_h32"\nranks = 8\nbackend = "simulate"\n'
        f'cluster = ["h100", "h20", "{mine}"]\n'
        'profile = ["ideal", "flashcp-paper"]\n'
    )
    found = rows("run", suite, "--output", results)
    assert len(found) == 12 and len({row["run_id"] for row in found}) == 12
    times = {
        (row["strategy"], row["cluster"], row["profile"]): row["metrics"]["iteration_seconds"]
        for row in found
    }
    for strategy in ["allgather", "ring"]:
        ideal = [times[strategy, cluster, "ideal"] for cluster in ["h100", "h20", str(mine)]]
        assert ideal[0] < ideal[1] and ideal[0] < ideal[2]
        assert times[strategy, "h100", "flashcp-paper"] > ideal[0]
    again = rows("run", suite, "--output", results)
    assert all(row["existed"] for row in again)
    mine.write_text(mine.read_text().replace("= 10\n", "= 11\n"))
    again = rows("run", suite, "--output", results)
    assert {row["cluster"] for row in again if not row["existed"]} == {str(mine)}


def test_a_kernel_model_of_the_user(tmp_path, results):
    file = tmp_path / "slow.toml"
    file.write_text(
        "sms = 132\npeak_teraflops_per_second = 989.5\nmemory_gigabytes_per_second = 3350\n"
        "head_dim = 128\n"
        "[forward]\nblock_microseconds = 1e5\ntile_tokens = 128\nblock_tokens = 128\n"
        "[backward]\nblock_microseconds = 1e5\ntile_tokens = 128\nblock_tokens = 128\n"
    )
    words = with_flags("--strategy", "flashcp", "--kernel", f"fa2_h100,{file}")
    fast, slow = rows(*words, "--output", results)
    assert slow["kernel"] == str(file)
    assert slow["metrics"]["iteration_seconds"] > 2 * fast["metrics"]["iteration_seconds"]
    done = run(*with_flags("--kernel", tmp_path / "none.toml"), "--output", results)
    assert_refused(done, "--kernel", "none.toml")


def test_strategies_see_the_cluster_on_every_backend(tmp_path):
    file = tmp_path / "plan.json"
    words = ["--strategy", "ring", "--workload", "fixed:tokens=100", "--tokens", "256"]
    done = run("plan", *words, "--ranks", "16", "--cluster", "h100", "--output", file)
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert '"h100"' in text and "989500000000000" in text


def test_a_pack_that_no_gpu_could_hold_is_out_of_memory(tmp_path, results):
    small = cluster_file(tmp_path, memory_gigabytes=0.001)
    done, (first, *_) = run_json(*with_flags("--cluster", small), "--output", results)
    assert done.returncode == 1 and first["status"] == "oom"
    assert "has 0.001 GB" in first["error"]


def test_a_run_that_is_no_simulation_keeps_its_id(results):
    words = ["--strategy", "ring", "--workload", "fixed:tokens=100", "--backend", "plan"]
    plain = rows("run", *words, "--output", results)[0]
    named = rows("run", *words, "--cluster", "none", "--network", "ports", "--output", results)[0]
    assert plain["run_id"] == named["run_id"] and named["existed"]
    assert not plain["simulated"] and plain["model_error"] == ""
    on_h100 = rows("run", *words, "--cluster", "h100", "--output", results)[0]
    assert on_h100["run_id"] != plain["run_id"]


@pytest.mark.skipif(not SIMGRID.exists(), reason="built without SimGrid (libsimgrid-dev)")
def test_simgrid_simulates_the_same_plans_on_the_same_links(results):
    words = [*with_flags("--strategy", "ring,flashcp"), "--output", results]
    ports = rows(*words)
    simgrid = rows(*words, "--network", "simgrid")
    for one, other in zip(ports, simgrid, strict=True):
        assert other["network"] == "simgrid" and one["run_id"] != other["run_id"]
        seconds = [row["metrics"]["iteration_seconds"] for row in (one, other)]
        assert seconds[1] == pytest.approx(seconds[0], rel=0.02)


def test_without_simgrid_its_package_is_named(tmp_path, results):
    copy = tmp_path / "cpbench"  # no other program is next to it
    shutil.copy2(PROGRAM, copy)
    done = subprocess.run(
        [copy, *map(str, [*SIMULATE, "--network", "simgrid", "--output", results])],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PATH": str(tmp_path / "nowhere")},
    )
    assert_refused(done, "--network", "cpbench-simgrid", "libsimgrid-dev")
    assert not results.exists()


@pytest.mark.parametrize(
    "flags, parts",
    [
        (["--cluster", "none"], ["--backend", "needs a cluster", "--cluster h100"]),
        (["--cluster", "h10"], ["--cluster", "'h10'", "did you mean 'h100'"]),
        (["--cluster", "no/such.toml"], ["--cluster", "cluster file 'no/such.toml'"]),
        (["--ranks", "12"], ["--ranks", "8 GPUs per node", "12 ranks", "multiple of 8"]),
        (["--ranks", "64", "--nodes", "2"], ["--nodes", "32 per node"]),
        (["--nodes", "3"], ["--nodes", "3 nodes do not divide 8 ranks"]),
        (["--kernel", "fused"], ["--kernel", "simulate", "fa2_h100"]),
        (["--network", "port"], ["--network", "did you mean 'ports'"]),
        (["--profile", "ideel"], ["--profile", "did you mean 'ideal'"]),
        (["--backend", "threads", "--kernel", "fa2_h100"], ["--kernel", "threads", "fused"]),
    ],
)
def test_bad_flags(flags, parts, results):
    assert_refused(run(*with_flags(*flags), "--output", results), *parts)
    assert not results.exists()


@pytest.mark.parametrize(
    "line, parts",
    [
        ("gpus_per_node = 0", ["mine.toml:1", "'gpus_per_node'", "from 1"]),
        ("smss = 5", ["mine.toml:1", "unknown key 'smss'", "'sms'"]),
        ("sms = 5", ["mine.toml: ", "'gpus_per_node' is missing"]),
        ("sms = ", ["mine.toml:1"]),
    ],
)
def test_bad_cluster_files(line, parts, tmp_path, results):
    file = tmp_path / "mine.toml"
    file.write_text(line + "\n")
    assert_refused(run(*with_flags("--cluster", file), "--output", results), *parts)


def test_a_cluster_with_an_unknown_kernel_model(tmp_path, results):
    file = cluster_file(tmp_path, kernel='"fa4"')
    done = run(*with_flags("--cluster", file), "--output", results)
    assert_refused(done, "mine.toml", "unknown kernel model 'fa4'")


def test_a_profile_that_leaves_kernels_no_processor(tmp_path, results):
    greedy = tmp_path / "greedy.toml"
    greedy.write_text("reserved_sms = 132\n")
    done = run(*with_flags("--profile", greedy), "--output", results)
    assert_refused(done, "--profile", "reserved_sms = 132", "fewer than the 132 of cluster h100")
    greedy.write_text("sm_margin = 200\n")
    done = run(*SIMULATE, "--profile", greedy, "--output", results)
    assert_refused(done, "--profile", "sm_margin = 200", "fewer than the 132 of cluster h100")
    assert not Path(results).exists()
