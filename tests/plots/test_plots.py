import struct
import subprocess
import zlib
from pathlib import Path

import h5py
import numpy as np
import plan_picture
import pytest
import style
import throughput

import results

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("throughput", "bytes_imbalance", "load_per_rank", "workload_lengths", "plan_picture")


def plot(*arguments):
    return subprocess.run([ROOT / "scripts/plot", *map(str, arguments)], capture_output=True,
                          text=True)


def png_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.fixture(scope="session")
def drawn(samples, tmp_path_factory):
    output = tmp_path_factory.mktemp("plots")
    done = plot("all", samples, "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return output


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_final_size_fonts_and_run_ids(name, drawn, samples):
    width, _ = png_size(drawn / f"{name}.png")
    assert width in (660, 1400)  # 3.3 and 7 inches at 200 dots
    pdf = (drawn / f"{name}.pdf").read_bytes()
    assert b"/Type3" not in pdf  # TrueType (42) fonts come as Type 0 and CIDFontType2
    assert b"CIDFontType2" in pdf
    shown = next(run for run in results.load_runs(samples)
                 if (run.strategy, run.workload) == ("ring", "pile"))
    assert shown.run_id.encode() in pdf
    assert shown.run_id.encode() in (drawn / f"{name}.png").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_again_gives_the_same_bytes(name, drawn, samples, tmp_path):
    assert plot(name, samples, "--output", tmp_path).returncode == 0
    for ending in ("pdf", "png"):
        first, second = (folder / f"{name}.{ending}" for folder in (drawn, tmp_path))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_the_docstring_is_the_help(name):
    done = plot(name, "--help")
    assert done.returncode == 0
    text = (ROOT / f"plots/{name}.py").read_text()
    assert text.split('"""')[1].strip() in done.stdout


@pytest.mark.parametrize("name", FIGURES)
def test_one_file_is_enough(name, samples, tmp_path):
    one = next(samples.glob("ring-pile-*.h5"))
    done = plot(name, one, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{name}.png").exists()


def test_bad_input_is_one_clear_line(samples, tmp_path):
    done = plot("troughput", samples)
    assert done.returncode == 2 and "'troughput' is neither a figure" in done.stderr
    done = plot("throughput", tmp_path)
    assert done.returncode == 1 and "no result file" in done.stderr
    (tmp_path / "bad.h5").write_text("hello")
    done = plot("throughput", tmp_path)
    assert "bad.h5: cannot be read" in done.stderr and "Traceback" not in done.stderr
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file.attrs["kind"], file.attrs["schema_version"] = "cpbench result", "2.0.0"
    done = plot("throughput", tmp_path)
    assert "schema version 2.0.0; these plots read 1.x" in done.stderr
    plan_only = next(samples.glob("exec*.h5"))
    assert "no run has samples" in plot("throughput", plan_only).stderr


def test_the_reader_sees_what_the_writer_wrote(samples):
    runs = {(r.strategy, r.workload, r.ranks): r for r in results.load_runs(samples)}
    ring = runs["ring", "pile", 4]
    assert ring.packs[0].document_lengths.tolist() == [300, 1, 130, 81]
    assert ring.packs[0].seconds.shape == (5, 4)
    assert ring.packs[0].cells_per_rank.sum() == 4 * sum(n * (n + 1) // 2
                                                         for n in (300, 1, 130, 81))
    assert ring.metrics["wire_bytes"] == sum(p.bytes_out.sum() for p in ring.packs)
    assert runs["ulysses", "pile", 4].status == "unsupported"
    assert runs["ulysses", "pile", 4].packs[0].cells_per_rank is None
    assert runs["exec:./my_planner", "pile", 1].packs[0].seconds is None


def test_throughput_is_tokens_over_the_slowest_rank(samples):
    run = next(r for r in results.load_runs(samples)
               if (r.strategy, r.workload) == ("ring", "pile"))
    seconds = sum(np.median(p.seconds.max(axis=1)) for p in run.packs)
    rate, low, high = throughput.tokens_per_second(run)
    assert rate == pytest.approx(2 * 512 / seconds)
    assert low <= rate <= high


def test_the_picture_shows_the_mask_and_its_owners(samples):
    run = next(r for r in results.load_runs(samples)
               if (r.strategy, r.workload) == ("ring", "wikipedia"))
    who, owner = plan_picture.raster(run, run.plan(), np.array([], dtype=int))
    size = len(owner)
    assert (~np.isnan(who)).sum() == size * (size + 1) // 2  # one causal document
    assert owner.tolist() == sorted(owner)  # contiguous shares
    inside = ~np.isnan(who)
    assert np.array_equal(who[inside], np.broadcast_to(owner[:, None], who.shape)[inside])


def test_the_picture_leaves_cached_queries_out(samples):
    run = next(r for r in results.load_runs(samples)
               if (r.strategy, r.workload) == ("ring", "pile"))
    assert run.packs[0].cached_tokens.tolist() == [0, 0, 0, 0]
    starts = np.cumsum(run.packs[0].document_lengths)[:-1]
    tokens = np.arange(512)
    before = plan_picture.visible(run, tokens, starts)
    run.packs[0].cached_tokens = np.array([299, 0, 130, 1])
    after = plan_picture.visible(run, tokens, starts)
    queries = np.r_[299:301, 432:512]
    assert np.array_equal(after[queries], before[queries])
    assert after.sum() == before[queries].sum()


def test_groups_are_named_by_what_tells_them_apart(samples):
    groups = results.grouped([r for r in results.load_runs(samples) if r.backend == "threads"])
    assert list(groups) == [("pile", "512 tokens", "4 ranks"),
                            ("wikipedia", "512 tokens", "4 ranks"),
                            ("wikipedia", "512 tokens", "8 ranks")]


def test_a_strategy_keeps_its_look():
    looks = [(style.colour(n), style.marker(n), style.hatch(n)) for n in style.KNOWN]
    assert len(set(looks)) == len(style.KNOWN)
    assert style.colour("flashcp") == "#0072B2"
    place = len(style.KNOWN) + zlib.crc32(b"something_new") % 97
    assert style.marker("something_new") == style.MARKERS[place % len(style.MARKERS)]
