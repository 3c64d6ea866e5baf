"""`cpbench calibrate` fits kernel models to measured calls; bad calls give one line."""

import json
import re

import pytest
from conftest import ROOT, assert_refused, run, run_json

DATA = ROOT / "results" / "calibration"
HEADER = "batch,tokens,q_heads,head_dim,forward_milliseconds\n"


def calibrate(tmp_path, *sources, cluster="h100", **options):
    output = tmp_path / "model.toml"
    flags = ["--cluster", cluster] if cluster else []
    return output, run("calibrate", *sources, "--output", output, *flags, **options)


def fit(tmp_path, *sources, cluster):
    output, done = calibrate(tmp_path, *sources, "--format", "json", cluster=cluster)
    assert done.returncode == 0, done.stderr
    rows = {row["pass"]: row for row in json.loads(done.stdout)}
    return rows, output.read_text()


def share(text):
    return float(text.removesuffix("%")) / 100


# The built-in models were fitted to these files, and name the errors of cross-validation.
@pytest.mark.parametrize(
    ("model", "cluster", "files"),
    [
        ("cudnn_h200", "h200", ["cudnn_h200.csv"]),
        ("fa2_h100", "h100", ["fa2_forward_h100.csv"]),
        ("fa3_h100", "h100", ["fa3_h100.csv"]),
        ("fa4_gb200", "gb200_nvl72", ["fa4_gb200.csv"]),
        ("fa4_h200", "h200", ["fa4_h200.csv"]),
    ],
)
def test_built_in_models_are_fits_of_the_measurements(tmp_path, model, cluster, files):
    rows, text = fit(tmp_path, *(DATA / name for name in files), cluster=cluster)
    _, kernels = run_json("list", "kernels")
    stated = {row["name"]: row for row in kernels}[model]
    for kernel_pass, row in rows.items():
        mean, worst = (
            share(word) for word in re.findall(r"[0-9.]+%", stated[kernel_pass + "_error"])
        )
        assert share(row["mean error"]) == pytest.approx(mean, abs=0.001)
        assert share(row["worst error"]) == pytest.approx(worst, abs=0.001)
        assert f"[{kernel_pass}]" in text
    assert f"sms = {148 if cluster == 'gb200_nvl72' else 132}" in text


def test_a_pass_that_was_not_measured_is_derived(tmp_path):
    output, done = calibrate(tmp_path, DATA / "fa2_forward_h100.csv")
    assert done.returncode == 0
    assert "backward: not measured; 2.5 times forward" in done.stdout
    assert "empty blocks" in done.stdout and f"wrote {output}" in done.stdout
    backward = output.read_text().split("[backward]")[1]
    assert "mean_error" not in backward


def test_this_machine(tmp_path):
    shape = tmp_path / "one_head.toml"
    shape.write_text("query_heads = 1\nkv_heads = 1\nhead_dim = 8\n")
    output = tmp_path / "cpu.toml"
    done = run("calibrate", "cpu", "--shape", shape, "--output", output)
    assert done.returncode == 0, done.stderr
    assert "achieved_memory_gigabytes_per_second" in done.stdout
    assert "merge_bytes_per_element" in done.stdout
    text = output.read_text()
    assert "sms = 1\n" in text and "head_dim = 8\n" in text and "one core of" in text


def rows(count, milliseconds=3.0):
    return HEADER + "".join(f"1,{1024 * (i + 1)},16,128,{milliseconds}\n" for i in range(count))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (rows(5), ["calls.csv, forward: 5 measured calls are too few", "6 or more"]),
        (rows(8, 0.0001), ["calls.csv:", "forward_milliseconds", "peak", "milliseconds"]),
        (rows(8, 30000), ["calls.csv: the fastest call", "milliseconds"]),
        ("tokens,q_heads\n1,2\n", ["calls.csv: column 'segments' is missing"]),
        (
            HEADER.replace("forward_", "micro"),
            ["calls.csv:1: unknown column", "forward_milliseconds"],
        ),
        (HEADER, ["calls.csv: the file has no measured calls"]),
        (HEADER + "1,2,x,128,3\n", ["calls.csv:2: q_heads is 'x'"]),
        (rows(8).replace("forward", "backward"), ["calls.csv: no forward times"]),
    ],
)
def test_bad_measurements_are_refused(tmp_path, text, parts):
    csv = tmp_path / "calls.csv"
    csv.write_text(text)
    output, done = calibrate(tmp_path, csv)
    assert_refused(done, *parts)
    assert not output.exists()


def test_bad_flags_are_refused(tmp_path):
    data = DATA / "cudnn_h200.csv"
    assert_refused(calibrate(tmp_path, data, cluster="")[1], "--cluster is missing")
    assert_refused(calibrate(tmp_path, data, cluster="h20o")[1], "unknown cluster 'h20o'")
    assert_refused(calibrate(tmp_path, tmp_path / "none.csv")[1], "none.csv")
    assert_refused(calibrate(tmp_path, "cpu", data)[1], "'cpu' must be the only source")
    assert_refused(calibrate(tmp_path, "cpu", "--shape", "tinny", cluster="")[1], "--shape", "tiny")
    assert_refused(calibrate(tmp_path, "cpu", "--kernel", "fusd", cluster="")[1], "fusd")
    done = run("calibrate", data, "--cluster", "h200", "--output", tmp_path / "no" / "model.toml")
    assert_refused(done, "model.toml")
