"""scripts/gpu_check on a fake GPU: what it refuses, what it reports, and that it continues."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, ROOT, executable, fake, needs_cuda


def gpu_check(script, *words, **options):
    return subprocess.run(
        [script, *map(str, words)], capture_output=True, text=True, timeout=600, **options
    )


def copied(folder):
    """A copy of the script; it looks for the build next to its own folder."""
    return executable(folder / "gpu_check", (ROOT / "scripts" / "gpu_check").read_text())


@pytest.fixture
def script(tmp_path):
    """A copy of the script next to the tested build."""
    (tmp_path / "build").symlink_to(BUILD)
    (tmp_path / "workloads").symlink_to(ROOT / "workloads")
    return copied(tmp_path / "scripts")


def with_nvidia_smi(folder, environment):
    """As on a machine with a driver: the row of doctor about it also has the word GPUs."""
    executable(folder / "nvidia-smi", "echo 'NVIDIA H200, 143771'\n")
    return {**environment, "PATH": f"{folder}:{os.environ['PATH']}"}


@needs_cuda
def test_bad_no_gpu(script, results):
    done = gpu_check(script, "--output", results, env=fake(FAKE_GPU_COUNT=0))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "gpu_check: error: no GPU here: the NVIDIA driver finds none"
    ]
    assert not results.exists()


@needs_cuda
def test_a_stage_that_fails_is_reported_and_does_not_stop_the_next(script, tmp_path, results):
    environment = with_nvidia_smi(tmp_path, fake(FAKE_GPU_COUNT=1))
    words = ["--output", results, "--patience", 10]
    words += ["--only", "replay", "nccl", "kernels", "facts"]
    done = gpu_check(script, *words, env=environment)
    assert done.returncode == 1, done.stderr
    lines = (results / "summary.md").read_text().splitlines()
    facts, replay, nccl, kernels = [
        [word.strip() for word in line.split("|")[1:]] for line in lines[4:]
    ]
    assert facts[:3] == ["facts", "ok", "1 x NVIDIA H200, 150.8 GB each"]
    assert "NVIDIA driver" in (results / "facts.txt").read_text()
    # The kernels of libraries do not run on a fake GPU and say so; those of this project pass.
    assert kernels[:2] == ["kernels", "FAILED"]
    assert re.search(r"cpbench_execute_cuda_test: [1-9]\d* passed, 0 skipped", kernels[2])
    assert re.search(r"cpbench_gpu_kernels_test: \d+ passed, [1-9]\d* skipped", kernels[2])
    assert nccl[:3] == ["nccl", "ok", "16 runs within tolerance"]
    assert replay[:2] == ["replay", "FAILED"]
    assert replay[2].endswith("cudnn.toml is missing: run the stage calibrate first")


def test_bad_stage(script):
    done = gpu_check(script, "--only", "nothing")
    assert done.returncode == 2 and "invalid choice: 'nothing'" in done.stderr


# ---- with fake programs

CORRECTNESS = (
    "max_error_output,max_error_gradient,strategy,workload,tokens,ranks,shape,kernel,status,error"
)
STRATEGIES = '[{"name": "dcp"}, {"name": "fcp"}, {"name": "ring"}, {"name": "zigzag"}]'
PROGRAM = f"""\
case "$*" in
  *gpu_correctness*cudnn*ring*)
    echo '{CORRECTNESS}'
    echo '0.001,0.002,ring,pile,4099,1,mha_128,cudnn,ok,' ;;
  *gpu_correctness*cudnn*fcp*)
    echo '{CORRECTNESS}'
    echo ',,fcp,pile,4099,5,mha_128,cudnn,failed,G4: output error 1 exceeds 0.1'
    exit 1 ;;
  *calibrate*)
    echo "cpbench: error: kernel 'cudnn' has no plan for this call" >&2
    echo "cpbench: what came after" >&2
    exit 1 ;;
  *gpu_correctness*)
    echo "cpbench: error: no kernel" >&2
    exit 2 ;;
  *list*strategies*) echo '{STRATEGIES}' ;;
  *doctor*json*) echo '[{{"name": "GPUs", "found": "1 x Pretended"}}]' ;;
esac
"""


def test_reasons_are_the_first_ones_and_name_the_run(tmp_path, results):
    script = copied(tmp_path / "scripts")
    executable(tmp_path / "build" / "cpbench", PROGRAM)
    words = ["--output", results, "--only", "facts", "correctness", "calibrate", "bandwidth"]
    done = gpu_check(script, *words)
    assert done.returncode == 1, done.stderr
    lines = (results / "summary.md").read_text().splitlines()
    facts, correctness, calibrate, bandwidth = [line.split(" | ") for line in lines[4:]]
    assert facts[1:3] == ["ok", "1 x Pretended"]
    assert correctness[1:3] == [
        "FAILED",
        "1 runs within tolerance, 0 unsupported, 1 not, 6 lost; fcp with cudnn on pile, "
        "4099 tokens, 5 ranks, mha_128: G4: output error 1 exceeds 0.1",
    ]
    # What ran is there, although other strategies failed.
    kept = (results / "correctness.csv").read_text()
    assert kept.count("\nring,") == 1 and kept.count("\nfcp,") == 1
    assert bandwidth[2].endswith("holds no cpbench_gpu_micro: run scripts/build")
    assert calibrate[2] == (
        "cpbench: exit code 1: cpbench: error: kernel 'cudnn' has no plan for this call"
    )


def test_flashattention_3_is_tested_where_it_is(tmp_path, results):
    script = copied(tmp_path / "scripts")
    here = '{"name": "GPU code", "found": "CUDA 13.0, FlashAttention-3 3.0.0"}, {"name": "GPUs"'
    executable(tmp_path / "build" / "cpbench", PROGRAM.replace('{"name": "GPUs"', here))
    gpu_check(script, "--output", results, "--only", "correctness")
    assert "1 not, 10 lost" in (results / "summary.md").read_text()


# What cpbench_gpu_micro prints.
HEAD = (
    "name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,"
    "error_occurred,error_message"
)
BANDWIDTH = f"""\
{HEAD},"of_memcpy"
"copy/256M/bfloat16/manual_time",41,335.5,23.6,us,3.8e+12,,,,,0.93
"copy_runs_of_1/256M/bfloat16/manual_time",41,335.5,23.6,us,3.8e+12,,,,,0.3
"merge/256M/float32/manual_time",41,335.5,23.6,us,3.8e+12,,,,,0.88
"merge/1M/float32/manual_time",41,335.5,23.6,us,3.8e+12,,,,,0.5
"""
ATTENTION = f"""\
{HEAD},"of_library","tflops"
"attention/cudnn/forward/causal_2K/manual_time",41,150,23.6,us,,,,,,0.9,484
"attention/cudnn/backward/causal_16K/manual_time",41,19400,23.6,us,,,,,,0.98,560
"attention/flash/forward/ragged_64K/manual_time",41,335.5,23.6,us,,,,,,0.99,400
"""


def benchmarked(tmp_path, attention):
    script = copied(tmp_path / "scripts")
    executable(tmp_path / "build" / "cpbench", PROGRAM)
    (tmp_path / "bandwidth").write_text(BANDWIDTH)
    (tmp_path / "attention").write_text(attention)
    executable(
        tmp_path / "build" / "cpbench_gpu_micro",
        f"cd {tmp_path}\n"
        "case $1 in *=-*) cat bandwidth ;;\n"
        "*) grep -e ^name -e attention/${1#*attention/} attention ;;\nesac\n",
    )
    (tmp_path / "results").symlink_to(ROOT / "results")
    done = gpu_check(script, "--output", tmp_path / "out", "--only", "bandwidth", "attention")
    lines = (tmp_path / "out" / "summary.md").read_text().splitlines()
    attention, bandwidth = (line.split(" | ")[1:3] for line in lines[4:])
    return done.returncode, bandwidth, attention


def test_benchmarks_are_compared_with_their_targets(tmp_path):
    code, bandwidth, attention = benchmarked(tmp_path, ATTENTION)
    assert bandwidth == [
        "ok",
        "2 operations, the slowest merge/256M/float32/manual_time at 0.88 of a plain copy",
    ]
    assert attention == [
        "FAILED",
        "3 calls, the slowest cudnn forward causal_2K at 0.900 of the library's rate; "
        "cudnn forward causal_2K at 0.95 of its published rate",
    ]
    assert code == 1


def test_a_kernel_that_is_left_out_is_a_failure(tmp_path):
    lines = ATTENTION.splitlines(keepends=True)
    without = "".join(line for line in lines if "flash" not in line)
    code, _, attention = benchmarked(tmp_path, without)
    assert code == 1
    assert attention == ["FAILED", "no calls of flash: see the outcome of the stage kernels"]


def test_a_stage_that_hangs_is_stopped_with_what_it_started(tmp_path, results):
    script = copied(tmp_path / "scripts")
    script.write_text(script.read_text().replace("facts: 20", "facts: 1"))
    hanging = PROGRAM.replace(
        "*doctor*json*)",
        f"*doctor*json*) echo '[]' ;;\n"
        f"  *doctor*) sleep 60 & echo $! > {tmp_path}/child; wait ;;\n  *x*)",
    )
    executable(tmp_path / "build" / "cpbench", hanging)
    done = gpu_check(script, "--output", results, "--only", "facts", "calibrate")
    assert done.returncode == 1, done.stderr
    facts, calibrate = (results / "summary.md").read_text().splitlines()[4:]
    assert "cpbench: exit code -9: stopped: the time of this stage is up" in facts
    assert "has no plan for this call" in calibrate
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_graphs_that_gpu_pack_made_are_used(tmp_path, results):
    script = copied(tmp_path / "scripts")
    (tmp_path / "made" / "cudnn_graphs" / "of_this_gpu").mkdir(parents=True)
    shutil.make_archive(tmp_path / "cudnn_graphs", "xztar", tmp_path / "made", "cudnn_graphs")
    program = PROGRAM.replace("1 x Pretended", "'$(ls $CPBENCH_CUDNN_GRAPHS)'")
    executable(tmp_path / "build" / "cpbench", program)
    done = gpu_check(script, "--output", results, "--only", "facts")
    assert done.returncode == 0, done.stderr
    assert "| facts | ok | of_this_gpu |" in (results / "summary.md").read_text()


def test_libraries_of_a_pack_are_unpacked_and_come_first(tmp_path, results):
    pack = tmp_path / "pack"
    (tmp_path / "made" / "lib").mkdir(parents=True)
    (tmp_path / "made" / "lib" / "of_the_pack.so").touch()
    script = copied(pack)
    shutil.make_archive(pack / "lib", "xztar", tmp_path / "made", "lib")
    (pack / "workloads").symlink_to(ROOT / "workloads")
    program = PROGRAM.replace("1 x Pretended", "'$(ls ${LD_LIBRARY_PATH%%:*})'")
    executable(pack / "bin" / "cpbench", program)
    executable(tmp_path / "python3", "echo /somewhere/torch\n")
    done = gpu_check(sys.executable, script, "--output", results, "--only", "facts",
                     env={"PATH": f"{tmp_path}:/usr/bin:/bin"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| facts | ok | of_the_pack.so |" in (results / "summary.md").read_text()


REPLAY = """\
kernel,strategy,workload,metric,replayed,simulated,error
cudnn,ring,pile,attention_seconds,1.0,1.1,0.1
cudnn,ring,wlb_llm,attention_seconds,1.0,0.8,-0.2
"""


def test_a_report_has_a_table_of_each_file_and_copies_of_them(tmp_path):
    benchmarked(tmp_path, ATTENTION)
    measured, report = tmp_path / "out", tmp_path / "report"
    (measured / "replay.csv").write_text(REPLAY)
    (measured / "correctness.csv").write_text(
        f"{CORRECTNESS}\n0.001,0.002,ring,pile,4099,1,mha_128,cudnn,ok,\n"
        ",,ring,pile,4099,5,mha_128,cudnn,failed,G4\n"
    )
    done = subprocess.run([ROOT / "scripts" / "gpu_report", measured, report])
    assert done.returncode == 0
    text = (report / "README.md").read_text()
    assert "| attention | FAILED | 3 calls, the slowest cudnn forward causal_2K" in text
    assert "| ring | cudnn | 1 | 0 | 1 | 0.001 | 0.002 |" in text
    assert "| cudnn | forward | causal_2K | 150 | 484 | 90.0% |" in text
    assert "| cudnn | attention_seconds | ring | 2 | 15.0% | 20.0% |" in text
    assert "| merge/1M/float32 | 3.80 | 50.0% |" in text
    assert "NCCL" not in text  # that stage left no file
    assert (report / "replay.csv").read_text() == REPLAY


def test_bad_report_of_nothing(tmp_path):
    done = subprocess.run([ROOT / "scripts" / "gpu_report", tmp_path, tmp_path / "report"])
    assert done.returncode == 2 and not (tmp_path / "report").exists()


def test_a_packed_build_needs_pytorch(tmp_path):
    script = copied(tmp_path)
    executable(tmp_path / "bin" / "cpbench", PROGRAM)
    executable(tmp_path / "python3", "exit 1\n")
    done = gpu_check(sys.executable, script, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "gpu_check: error: python3 has no PyTorch, whose libraries a packed build needs"
    ]


def test_bad_no_build(tmp_path):
    done = gpu_check(copied(tmp_path / "scripts"))
    assert done.returncode == 2
    assert done.stderr.endswith("build holds no cpbench: run scripts/build\n")
