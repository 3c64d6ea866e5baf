"""`--layer`: runs of the projections and the FFN around the attention."""

import pytest
from conftest import TINY, assert_refused, fake, needs_cuda, run, run_json

WORDS = ["run", *TINY, "--shape", "tiny_layer"]
SIMULATE = ["run", "--strategy", "zigzag", "--workload", "fixed:tokens=4K", "--tokens", "8K",
            "--backend", "simulate", "--cluster", "h100", "--shape", "llama3_8b"]  # fmt: skip


def metrics_of(row):
    assert row["status"] == "ok", row["error"]
    return row["metrics"]


def test_threads_compute_what_one_device_computes(results):
    words = [*WORDS, "--strategy", "ring,ulysses", "--layer", "attention,module,layer"]
    _, rows = run_json(*words, "--output", results)
    assert len(rows) == 6 and len({row["run_id"] for row in rows}) == 6
    for row in rows:
        metrics = metrics_of(row)
        assert metrics["max_error_output"] <= 1e-10
        assert metrics["max_error_gradient"] <= 1e-10
        assert metrics["counted_bytes"] == metrics["wire_bytes"]
        assert ("module_mfu" in metrics) == (row["layer"] != "attention")
        assert (metrics["time_layer"] > 0) == (row["layer"] != "attention")


def test_module_mfu_counts_the_products_that_ran(results):
    words = [*WORDS, "--strategy", "ring", "--direction", "both", "--output", results]
    _, rows = run_json(*words, "--layer", "module,layer")
    heads, kv_heads, dim, hidden, ffn, tokens = 8, 2, 16, 96, 160, 256
    module = 2 * hidden * (2 * heads + 2 * kv_heads) * dim
    for row, flops in zip(rows, (module, module + 2 * hidden * 3 * ffn), strict=True):
        metrics = metrics_of(row)
        share = 3 * flops * tokens / metrics["attention_flops"]
        assert metrics["module_mfu"] == pytest.approx(metrics["mfu"] * (1 + share))


def test_a_run_without_the_word_is_as_before(results):
    words = [*WORDS, "--strategy", "ring", "--output", results]
    _, (given,) = run_json(*words, "--layer", "auto")
    _, (again,) = run_json(*words)
    assert again["existed"] and again["run_id"] == given["run_id"]
    assert "module_mfu" not in metrics_of(given)


def test_simulations_charge_what_runs_compute(results):
    _, rows = run_json(*SIMULATE, "--layer", "attention,module,layer,auto", "--output", results)
    times = {row["layer"]: metrics_of(row)["time_layer"] for row in rows}
    assert times["attention"] == 0 < times["module"] < times["layer"] == times[""]


def test_peak_memory_counts_what_the_layer_adds(results):
    heads, kv_heads, dim, hidden, ffn, tokens = 8, 2, 16, 96, 160, 128  # of each rank
    module = 2 * hidden * (2 * heads + 2 * kv_heads) * dim + tokens * hidden * 4
    layer = module + 2 * 3 * hidden * ffn + tokens * (hidden * 2 + ffn * 4)
    added = {"attention": 0, "module": 8 * module, "layer": 8 * layer}
    words = [*WORDS, "--strategy", "ring", "--direction", "both", "--layer", ",".join(added)]
    _, ran = run_json(*words, "--output", results)
    words += ["--backend", "simulate", "--cluster", "h100"]
    _, simulated = run_json(*words, "--output", results)
    for rows in (ran, simulated):
        for name in ("peak_bytes", "measured_peak_bytes"):
            peaks = {row["layer"]: metrics_of(row)[name] for row in rows}
            assert {key: peak - peaks["attention"] for key, peak in peaks.items()} == added


def test_a_layer_that_does_not_fit_is_out_of_memory(results):
    long = [{"8K": "800K", "fixed:tokens=4K": "fixed:tokens=800K"}.get(w, w) for w in SIMULATE]
    long += ["--ranks", "2", "--layer", "attention,layer,auto"]
    _, rows = run_json(*long, "--output", results)
    assert [row["status"] for row in rows] == ["ok", "oom", "ok"]


def test_bad_layer(results):
    ring = ["run", "--strategy", "ring", *TINY, "--output", results]
    assert_refused(run(*ring, "--layer", "modul"), "modul", "did you mean 'module'")
    assert_refused(run(*ring, "--layer", "layer"), "shape tiny has no ffn_size", "--layer")
    cached = [*WORDS, "--strategy", "ring", "--cached", "0.5", "--output", results]
    assert_refused(run(*cached, "--layer", "module"), "cached tokens are not projected")
    assert not results.exists()


@needs_cuda
@pytest.mark.parametrize("backend", [["cuda"], ["nccl"], ["nccl", "--one-process"]])
def test_gpus_compute_what_one_device_computes(results, backend):
    done, rows = run_json(
        *WORDS, "--strategy", "ring,fcp", "--layer", "layer",
        *("--backend", *backend, "--kernel", "reference", "--output", results), env=fake(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for row in rows:
        metrics = metrics_of(row)
        assert metrics["max_error_output"] <= 1e-10
        assert metrics["max_error_gradient"] <= 1e-10
