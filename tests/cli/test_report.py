"""The report: one HTML file that needs nothing else, or one line that says why there is none."""

import os
import re
import shutil
from html.parser import HTMLParser

import pytest
from conftest import TINY, assert_refused, run

VOID = {"meta", "br", "path", "use"}


class Page(HTMLParser):
    """A page, which must be well-formed, and its contents."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.ids, self.links = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href"):
                self.links.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("some results")
    words = [*TINY, "--workload", "pile,fixed:tokens=100", "--output", folder]
    run("run", "--strategy", "ring,allgather", *words)
    run("run", "--strategy", "ulysses", *words, "--ranks", "9")
    return folder


@pytest.fixture(scope="module")
def text(folder):
    done = run("report", folder)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout == f"{folder}/report.html\n"
    return (folder / "report.html").read_text()


def test_it_is_whole_and_needs_nothing_else(text):
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)) > 20
    for link in page.links:
        assert link.startswith(("#", "data:")), link
        assert link.startswith("data:") or link[1:] in page.ids
    for pointed in re.findall(r"url\(#([^)]*)\)", text):
        assert pointed in page.ids
    assert text.count("<script") == 1 and "<script>\n// Sorts a table of a report" in text
    assert "@import" not in text
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)


def test_it_shows_figures_tables_and_where_it_is_from(text, folder):
    words = " ".join(Page(text).texts)
    for figure in ("throughput", "timeline", "load_per_rank", "plan_picture"):
        assert f'id="figure-{figure}"' in text
    assert "figure-simulated_measured" not in text  # it does not apply, so it is not mentioned
    assert "speed / allgather" in words and "bytes / allgather" in words
    assert "Runs that are not ok" in words and "unsupported" in words
    assert re.search(r"--workload .?pile,fixed:tokens=100", words)  # the recorded command
    assert "commit" in words and "machine fingerprint" in words
    for path in folder.glob("*.h5"):
        assert path.name in words


def test_the_same_results_give_the_same_file(folder, text, tmp_path):
    run("report", folder, "--output", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == text


def test_ratios_refer_to_the_baseline(folder, tmp_path):
    output = tmp_path / "ring.html"
    assert run("report", folder, "--baseline", "ring", "--output", output).returncode == 0
    assert "speed / ring" in output.read_text()
    assert_refused(run("report", folder, "--baseline", "rong"), "'rong'", "ring", "allgather")


def test_one_file_is_enough(folder, tmp_path):
    file = next(folder.glob("ring-pile*.h5"))
    output = tmp_path / "one.html"
    assert run("report", file, "--output", output).returncode == 0
    assert "1 run of 1 strategy" in output.read_text()


def test_a_workload_cannot_write_into_the_page(folder, tmp_path):
    lengths = tmp_path / "<b>&.txt"
    lengths.write_text("100\n")
    run("run", "--strategy", "ring", *TINY, "--workload", lengths, "--output", tmp_path / "r")
    assert run("report", tmp_path / "r").returncode == 0
    text = (tmp_path / "r" / "report.html").read_text()
    assert "<b>" not in text and "&lt;b&gt;&amp;" in text
    Page(text)


def test_refusals_leave_nothing(folder, tmp_path):
    assert_refused(run("report", tmp_path), str(tmp_path), "no result files")
    assert_refused(run("report", tmp_path / "none"), "none", "no such file")
    assert_refused(run("report", folder, "--output", tmp_path / "no" / "r.html"), "no/")
    (tmp_path / "bad.h5").write_text("hello")
    assert_refused(run("report", tmp_path), "bad.h5", "not an HDF5 file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.h5"]


@pytest.mark.parametrize("missing", ["matplotlib", "h5py"])
def test_a_missing_package_is_named(folder, tmp_path, missing):
    package = tmp_path / missing
    package.mkdir()
    (package / "__init__.py").write_text(f"raise ImportError('none', name='{missing}')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    output = tmp_path / "out.html"
    done = run("report", folder, "--output", output, env=environment)
    assert_refused(done, f"'{missing}'", "scripts/setup")
    assert not output.exists()
    shutil.rmtree(package)
