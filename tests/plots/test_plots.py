"""Figures of results: legible, reproducible, with what they show checked against the files."""

import itertools
import json
import struct
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from matplotlib.text import Text

import atlas
import figures
import plot
import results
import style
import workload_files
from figures import (
    bytes_imbalance,
    bytes_lines,
    error_growth,
    load_per_rank,
    plan_picture,
    scaling,
    simulated_measured,
    throughput,
    time_attribution,
    timeline,
    tuning,
)

ROOT = Path(__file__).resolve().parents[2]
EVERY = [figure for figure in figures.every() if figure.place is not None]
NEEDS_BOTH = "simulated_measured"  # which needs simulated and measured runs of one problem
APPLICABLE = [figure for figure in EVERY if figure.name != NEEDS_BOTH]  # to the samples


def each(chosen):
    return pytest.mark.parametrize("figure", chosen, ids=[figure.name for figure in chosen])


def script(*arguments):
    command = [ROOT / "scripts/plot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def draw(name, folder, output):
    """As scripts/plot, but in this process: starting another takes longer than drawing."""
    return plot.main([name, str(folder), "--output", str(output)])


def run_of(runs, strategy, workload, ranks=4, backend="threads"):
    wanted = (strategy, workload, ranks, backend)
    return next(r for r in runs if (r.strategy, r.workload, r.ranks, r.backend) == wanted)


def png_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.fixture(scope="session")
def drawn(samples, tmp_path_factory):
    output = tmp_path_factory.mktemp("plots")
    done = script("all", samples, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")  # what does not apply is not mentioned
    names = [f"{figure.name}.{ending}" for figure in APPLICABLE for ending in ("pdf", "png")]
    assert done.stdout.splitlines() == [f"{output}/{name}" for name in names]
    return output


@each(figures.every())
def test_a_figure_has_what_a_report_and_the_command_line_need(figure):
    title, *rest = figure.help.split("\n\n")
    assert len(title.splitlines()) == 1 and title.endswith(".") and rest
    assert figure.place is None or isinstance(figure.place, int)
    with pytest.raises(results.NothingToDraw):
        figure.draw([])


def test_places_are_taken_once():
    places = [figure.place for figure in EVERY]
    assert places == sorted(set(places))


@each(APPLICABLE)
def test_every_figure_has_its_final_size_fonts_and_run_ids(figure, drawn, samples):
    name = figure.name
    width, _ = png_size(drawn / f"{name}.png")
    assert width in (660, 1400)  # 3.3 and 7 inches at 200 dots
    pdf = (drawn / f"{name}.pdf").read_bytes()
    assert b"/Type3" not in pdf  # TrueType (42) fonts come as Type 0 and CIDFontType2
    assert b"CIDFontType2" in pdf
    shown = run_of(results.load_runs(samples), "ring", "pile")
    assert shown.run_id.encode() in pdf
    assert shown.run_id.encode() in (drawn / f"{name}.png").read_bytes()


@each(APPLICABLE)
def test_drawing_again_gives_the_same_bytes(figure, drawn, samples, tmp_path):
    draw(figure.name, samples, tmp_path)
    for ending in ("pdf", "png"):
        first, second = (folder / f"{figure.name}.{ending}" for folder in (drawn, tmp_path))
        assert first.read_bytes() == second.read_bytes()


def test_the_docstring_is_the_help():
    done = script("throughput", "--help")
    assert done.returncode == 0
    assert throughput.__doc__.strip() in done.stdout


@each(APPLICABLE)
def test_one_file_is_enough(figure, samples, tmp_path, monkeypatch):
    monkeypatch.setitem(style.plt.rcParams, "savefig.dpi", 50)
    draw(figure.name, next(samples.glob("ring-pile-*.h5")), tmp_path)
    assert (tmp_path / f"{figure.name}.png").exists()


def drawn_texts(fig, monkeypatch):
    """Every text that is drawn, with its box in pixels."""
    drawn = {}
    with monkeypatch.context() as patch:
        draw_text = Text.draw

        def draw(text, renderer):
            if text.get_visible() and text.get_text().strip():
                drawn[text] = True
            draw_text(text, renderer)

        patch.setattr(Text, "draw", draw)
        fig.canvas.draw()
    return [(text, text.get_window_extent()) for text in drawn]


def assert_apart(texts):
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        wide = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        high = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        assert wide < 1.5 or high < 1.5, (one.get_text(), other.get_text())


@each(EVERY)
def test_a_crowd_stays_legible(figure, crowd, crowded_validation, monkeypatch):
    fig, _ = figure.draw(crowded_validation if figure.name == NEEDS_BOTH else crowd)
    texts = drawn_texts(fig, monkeypatch)
    assert len(texts) > 10
    for text, box in texts:
        assert text.get_fontsize() >= style.SMALLEST
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= fig.bbox.x1 + 1
        assert inside and box.y1 <= fig.bbox.y1 + 1, text.get_text()
    assert_apart(texts)
    style.plt.close(fig)


def test_bad_input_is_one_clear_line(samples, tmp_path):
    done = script("troughput", samples)
    assert done.returncode == 2 and "'troughput' is neither a figure" in done.stderr
    (tmp_path / "bad.h5").write_text("hello")
    for name in ("throughput", "all"):
        done = script(name, tmp_path)
        assert done.returncode == 1 and "bad.h5: cannot be read" in done.stderr
        assert done.stderr.count("\n") == 1 and not (tmp_path / "plots").exists()


def test_refusals_say_what_would_be_right(tmp_path, capsys):
    def refusal():
        assert draw("throughput", tmp_path, tmp_path) == 1
        return capsys.readouterr().err

    assert "no result file (*.h5); make some with `cpbench run`" in refusal()
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file.attrs["kind"], file.attrs["schema_version"] = "cpbench result", "2.0.0"
    assert "schema version 2.0.0; these plots read 1.x" in refusal()


def test_what_does_not_apply_is_mentioned_only_if_it_was_named(samples, tmp_path, capsys):
    plan = next(samples.glob("exec*.h5"))
    assert draw("throughput", plan, tmp_path) == 1
    assert capsys.readouterr().err == "plot: no run has measured or simulated times\n"
    assert draw("all", plan, tmp_path) == 0
    assert capsys.readouterr().err == ""
    assert (tmp_path / "plan_picture.png").exists() and not (tmp_path / "timeline.png").exists()


def test_the_reader_sees_what_the_writer_wrote(samples):
    runs = {(r.strategy, r.workload, r.ranks): r for r in results.load_runs(samples)}
    ring = runs["ring", "pile", 4]
    assert ring.packs[0].document_lengths.tolist() == [300, 1, 130, 81]
    assert ring.packs[0].seconds.shape == (5, 4)
    assert ring.packs[0].cells_per_rank.sum() == 4 * sum(
        n * (n + 1) // 2 for n in (300, 1, 130, 81)
    )
    assert ring.metrics["wire_bytes"] == sum(p.bytes_out.sum() for p in ring.packs)
    assert runs["ulysses", "pile", 4].status == "unsupported"
    assert runs["ulysses", "pile", 4].packs[0].cells_per_rank is None
    assert runs["exec:./my_planner", "pile", 1].packs[0].seconds is None


def test_throughput_is_tokens_over_the_slowest_rank(samples):
    run = run_of(results.load_runs(samples), "ring", "pile")
    seconds = sum(np.median(p.seconds.max(axis=1)) for p in run.packs)
    rate, low, high = throughput.tokens_per_second(run)
    assert rate == pytest.approx(2 * 512 / seconds)
    assert low <= rate <= high


def test_the_picture_shows_the_mask_and_its_owners(samples):
    run = run_of(results.load_runs(samples), "ring", "wikipedia")
    who, owner = plan_picture.raster(run, run.plan(), np.array([], dtype=int))
    size = len(owner)
    assert (~np.isnan(who)).sum() == size * (size + 1) // 2  # one causal document
    assert owner.tolist() == sorted(owner)  # contiguous shares
    inside = ~np.isnan(who)
    assert np.array_equal(who[inside], np.broadcast_to(owner[:, None], who.shape)[inside])


def test_the_picture_leaves_cached_queries_out(samples):
    run = run_of(results.load_runs(samples), "ring", "pile")
    assert run.packs[0].cached_tokens.tolist() == [0, 0, 0, 0]
    starts = np.cumsum(run.packs[0].document_lengths)[:-1]
    tokens = np.arange(512)
    before = plan_picture.visible(run, tokens, starts)
    run.packs[0].cached_tokens = np.array([299, 0, 130, 1])
    after = plan_picture.visible(run, tokens, starts)
    queries = np.r_[299:301, 432:512]
    assert np.array_equal(after[queries], before[queries])
    assert after.sum() == before[queries].sum()


def test_the_picture_shows_trees_and_rules(samples):
    run = run_of(results.load_runs(samples), "ring", "pile")  # documents of 300, 1, 130 and 81
    tokens, starts = np.arange(512), np.array([300, 301, 431])
    run.packs[0].parents = np.array([-1, 0, 0, 1])
    seen = plan_picture.visible(run, tokens, starts)
    assert seen[301, :302].tolist() == [True] * 300 + [False, True]
    assert seen[431, :].nonzero()[0].tolist() == [*range(301), 431]
    run.packs[0].parents[:] = -1
    run.packs[0].rules = [("block_causal", 64), ("chunked", 9), ("prefix", 70), ("chunked", 50)]
    seen = plan_picture.visible(run, tokens, starts)
    assert seen[100].nonzero()[0].tolist() == [*range(128)]
    assert seen[301].nonzero()[0].tolist() == [*range(301, 371)]
    assert seen[480].nonzero()[0].tolist() == [480 - 49 + k for k in range(50)]
    assert seen[481].nonzero()[0].tolist() == [481]


def test_the_timeline_is_what_the_file_has(samples):
    runs = results.load_runs(samples)
    run = run_of(runs, "ring", "pile")
    line = run.timeline()
    assert len(line.rank) == run.packs[0].events == 8
    assert [results.ACTIVITIES[code] for code in line.activity[:2]] == ["attention", "wait"]
    assert line.backward.tolist() == [False, True] * 4
    assert (line.end >= line.start).all()
    _, shown = timeline.draw(runs)  # the group with 8 ranks has fewer strategies
    assert {(r.label, r.workload) for r in shown} == {
        ("flashcp", "pile"),
        ("ring", "pile"),
        ("allgather", "pile"),
    }
    ends = [timeline.length(r) for r in shown]
    assert ends == sorted(ends)


def test_a_timeline_of_many_ranks_shows_as_many_rows_as_fit(samples, monkeypatch):
    run = run_of(results.load_runs(samples), "ring", "wikipedia", ranks=8)
    monkeypatch.setattr(timeline, "MOST_RANKS", 4)
    fig, _ = timeline.draw([run])
    axes = fig.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "2", "4", "7"]
    assert "4 of 8 ranks" in fig.get_supxlabel()
    attention = axes.collections[0].get_paths()
    assert len(attention) == 4
    style.plt.close(fig)


def test_parts_of_the_time_sum_to_the_whole(samples):
    runs = results.load_runs(samples)
    run = run_of(runs, "ring", "pile")
    assert sum(time_attribution.parts(run).values()) == pytest.approx(run.seconds)
    assert time_attribution.parts(run_of(runs, "zigzag", "pile")) == {}  # out of memory
    fig, shown = time_attribution.draw([run])
    bars = [patch for patch in fig.axes[0].patches if patch.get_width()]
    unit, _ = style.time_unit(run.seconds)
    assert sum(bar.get_width() for bar in bars) == pytest.approx(run.seconds / unit)
    assert shown == [run]
    style.plt.close(fig)


def test_simulated_against_measured(validation, tmp_path):
    runs = results.load_runs(validation)
    found = simulated_measured.pairs(runs)
    ran = [run for run in runs if run.seconds and not run.simulated]
    assert {measured.run_id for _, measured in found} == {run.run_id for run in ran}
    for simulated, measured in found:
        assert simulated.simulated and simulated.label == measured.label
        assert simulated.seconds == pytest.approx(0.8 * measured.seconds)
    assert simulated_measured.summary(found).startswith("mean error 20%, worst -20% (")
    draw("simulated_measured", validation, tmp_path)
    assert png_size(tmp_path / "simulated_measured.png")[0] == 660
    first = (tmp_path / "simulated_measured.pdf").read_bytes()
    draw("simulated_measured", validation, tmp_path)
    assert first == (tmp_path / "simulated_measured.pdf").read_bytes()


def test_two_folders_do_as_one(samples, simulated_samples, tmp_path):
    done = script("simulated_measured", simulated_samples, samples, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "simulated_measured.png").exists()


@pytest.mark.parametrize("module", (throughput, time_attribution, timeline))
def test_simulated_times_are_labelled(module, simulated_samples, monkeypatch):
    fig, _ = module.draw(results.load_runs(simulated_samples))
    assert any("simulated" in text.get_text() for text, _ in drawn_texts(fig, monkeypatch))
    style.plt.close(fig)


def test_groups_are_named_by_what_tells_them_apart(samples):
    runs = [r for r in results.load_runs(samples) if r.backend == "threads"]
    common, groups = results.grouped(runs)
    assert common == ("512 tokens",)
    assert list(groups) == [("pile", "4 ranks"), ("wikipedia", "4 ranks"), ("wikipedia", "8 ranks")]
    common, groups = results.grouped(runs, apart=("workload",))
    assert {words: len(members) for words, members in groups.items()} == {
        ("4 ranks",): 8,
        ("8 ranks",): 2,
    }


def test_words_wrap_where_they_can():
    assert style.wrapped(["pile", "4 ranks"], 20) == ["pile, 4 ranks"]
    assert style.wrapped(["lognormal:mean=1K,sigma=1.5", "4 ranks"], 18) == [
        "lognormal:mean=1K,",
        "sigma=1.5, 4 ranks",
    ]
    assert style.broken("ring (per_document=true)", 20) == ["ring", "(per_document=true)"]
    assert style.broken("/data/lengths.csv", 8) == ["/data/", "lengths.", "csv"]


def test_bytes_and_imbalance_of_a_strategy_over_workloads(crowd):
    runs = [r for r in crowd if r.ranks == 4]
    points = bytes_imbalance.points_by_label(runs)
    assert list(points) == list(style.KNOWN)
    run = next(r for r in runs if (r.strategy, r.workload) == ("ring", "wlb_llm"))
    pairs = run.packs[0].cells_per_rank
    expected = [run.metrics["wire_bytes"] / 1024, pairs.max() / pairs.mean()]
    assert points["ring"].shape == (4, 2)
    assert np.isclose(points["ring"], expected).all(axis=1).any()


def test_the_picture_prefers_a_measured_set_with_many_documents(crowd):
    _, shown = plan_picture.draw(crowd)
    assert {(run.workload, run.ranks) for run in shown} == {("wikipedia", 4)}
    assert [run.strategy for run in shown] == list(style.KNOWN)[: plan_picture.MOST_PANELS]


def workload_json(**changes):
    """What `cpbench workload` prints for the lengths 2, 2, 6, 30."""
    counts = [(2, 2, 4), (4, 1, 6), (8, 0, 0), (16, 1, 30)]
    bins = [{"from": low, "to": 2 * low, "documents": d, "tokens": t} for low, d, t in counts]
    return json.dumps(
        {
            "name": "fixed:x=1,y=2",
            "seed": 1,
            "documents": 4,
            "shortest": 2,
            "longest": 30,
            "bins": bins,
        }
        | changes
    )


def test_a_workload_is_drawn_without_running_it(tmp_path):
    path = tmp_path / "some.json"
    path.write_text(workload_json())
    [drawn] = workload_files.load(path)
    assert (drawn.name, drawn.origin) == ("fixed:x=1,y=2", "4 documents drawn with seed 1")
    assert drawn.lengths == [2, 3, 7, 15, 30]
    assert drawn.documents == [0, 2, 3, 3, 4]
    assert drawn.tokens == [0, 4, 10, 10, 40]
    (tmp_path / "other.json").write_text(workload_json(seed=2))
    draw("workload_lengths", tmp_path, tmp_path)
    assert (tmp_path / "workload_lengths.png").exists()
    path.write_text('{"name": "pile"}')
    with pytest.raises(results.ResultError, match="some.json: not a workload"):
        workload_files.load(tmp_path)


def test_a_strategy_keeps_its_look():
    assert style.colour("flashcp") == "#0072B2"
    assert style.place("something_new") == style.place("something_new") >= len(style.KNOWN)
    looks = (style.COLOURS, style.MARKERS, style.HATCHES)
    for one, other in itertools.combinations(looks, 2):  # every place a strategy can have
        places = range(len(style.KNOWN) + style.UNKNOWN_PLACES)
        assert len({(one[p % len(one)], other[p % len(other)]) for p in places}) == len(places)
    assert all(len(set(look)) == len(look) for look in looks)


def test_options_change_the_look_but_not_the_colour():
    for look in (style.marker, style.hatch):
        assert look("flashcp (ratio=1.2)") == look("flashcp (ratio=1.2)") != look("flashcp")
    assert style.colour("flashcp (ratio=1.2)") == style.colour("flashcp")


def tuned_run(run, options, seconds, packs=2):
    attributes = {**run.attributes, "options": options, "packs": packs}
    metrics = {**run.metrics, "iteration_seconds": seconds}
    return results.Run(run.path, attributes, metrics, run.descriptions, run.packs)


def test_tuned_runs_stand_next_to_those_as_given(samples):
    ring = run_of(results.load_runs(samples), "ring", "pile")
    given, tuned = tuned_run(ring, "", 4.0), tuned_run(ring, "per_document=true", 2.0)
    (pair,) = tuning.pairs_of([given, tuned_run(ring, "", 1.0, packs=1), tuned])
    assert (pair.given, pair.tuned) == (given, tuned)  # the run of one pack is not compared
    assert tuning.seconds_per_pack(pair.tuned) == 1.0
    (alone,) = tuning.pairs_of([given])
    assert alone.given is alone.tuned
    with pytest.raises(results.NothingToDraw):
        tuning.draw([given])


@pytest.mark.parametrize("module", (time_attribution, load_per_rank, tuning))
def test_a_crowd_of_tuned_strategies_stays_legible(module, crowd, monkeypatch):
    runs = [run for run in crowd if (run.workload, run.ranks) == ("pile", 4)]
    for run in list(runs):
        runs.append(tuned_run(run, "a_long_option=4096,another=true", 0.9 * run.seconds, 1))
        run.attributes["packs"] = 1
    fig, _ = module.draw(runs)
    texts = drawn_texts(fig, monkeypatch)
    assert len(texts) > 2 * len(style.KNOWN)
    for text, box in texts:
        assert box.x0 >= -1 and box.x1 <= fig.bbox.x1 + 1, text.get_text()
    assert_apart(texts)
    style.plt.close(fig)


def test_the_error_is_the_median_over_workloads(samples):
    ring = run_of(results.load_runs(samples), "ring", "pile")
    metric = "output_error_ratio"
    runs = []
    for ranks, ratio in ((8, 1.5), (4, 1.0), (4, 2.0), (4, 9.0)):
        attributes, metrics = {**ring.attributes, "ranks": ranks}, {**ring.metrics, metric: ratio}
        runs.append(results.Run(ring.path, attributes, metrics, ring.descriptions, ring.packs))
    assert error_growth.points_of(runs, metric) == {"ring": ([4, 8], [2.0, 1.5])}
    fig, shown = error_growth.draw(runs)
    assert len(shown) == len(runs)
    style.plt.close(fig)
    with pytest.raises(results.NothingToDraw):
        error_growth.draw([ring])


def test_scaling_has_a_panel_for_each_number_of_tokens_per_rank(samples):
    ring = run_of(results.load_runs(samples), "ring", "pile")
    runs = []
    for ranks, share, mfu in ((8, 64, 0.4), (4, 64, 0.5), (8, 128, 0.6), (4, 128, 0.7)):
        attributes = {**ring.attributes, "ranks": ranks, "tokens": ranks * share}
        runs.append(results.Run(ring.path, attributes, {"mfu": mfu}, ring.descriptions, ring.packs))
    fig, shown = scaling.draw(runs)
    assert len(shown) == len(runs)
    panels = {axes.get_title(): axes.lines[0].get_xydata().tolist() for axes in fig.axes}
    assert panels == {
        "64 tokens per rank": [[4, 50], [8, 40]],
        "128 tokens per rank": [[4, 70], [8, 60]],
    }
    style.plt.close(fig)
    with pytest.raises(results.NothingToDraw):
        scaling.draw(runs[:1])


def test_bytes_vary_with_the_window(samples):
    ring = run_of(results.load_runs(samples), "ring", "pile")
    tokens = sum(pack.document_lengths.sum() for pack in ring.packs)
    runs = []
    for window, sent in ((64, 0), (128, 10)):
        attributes = {**ring.attributes, "mask": "sliding_window", "window": window}
        metrics = {"wire_bytes": sent * tokens}
        runs.append(results.Run(ring.path, attributes, metrics, ring.descriptions, ring.packs))
    fig, _ = bytes_lines.draw(runs)
    assert fig.axes[0].lines[0].get_xydata().tolist() == [[64, 0], [128, 10]]
    style.plt.close(fig)
    with pytest.raises(results.NothingToDraw):
        bytes_lines.draw([ring])


def test_the_atlas_shows_every_problem(tmp_path):
    table = tmp_path / "winners.csv"
    table.write_text(
        "winner,workload,tokens,ranks,cluster,shape,window,tied with,next_over_winner\n"
        "flashcp:ratio=1.2,pile,64K,8,h100,llama3_8b,,,1.5\n"
        "ring,wlb_llm,1M,128,h100,llama3_8b,8K,usp zigzag,\n"
        'magi,"tree:prompt=2K,completions=8,length=256,trees=16",64K,8,h100,llama3_8b,,,2\n'
    )
    rows = atlas.read(table)
    assert [row["panel"] for row in rows] == [("h100", 8192)] * 3
    places = ["pile", "wlb_llm, window 8K", "trees of 2K + 8 x 256"]
    assert [row["place"] for row in rows] == places
    fig = atlas.draw(rows)
    squares = [patch for axes in fig.axes for patch in axes.patches]
    assert [patch.get_alpha() for patch in squares] == [1, atlas.PALE, 1]
    style.plt.close(fig)
    table.write_text("winner\n")
    with pytest.raises(results.NothingToDraw):
        atlas.read(table)
