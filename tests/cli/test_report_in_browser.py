"""The report in a real browser, without a window: its tables can be sorted, and nothing fails."""

import html
import json
import re
import shutil
import subprocess

import pytest
from conftest import run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome is installed")

# Clicks on the heading of a column twice and notes its texts, and every error of the page.
PROBE = """
<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
</script>
{page}
<script>
const table = document.querySelector("#results table");
const headings = [...table.tHead.rows[0].children];
const seen = {{}};
for (const name of {names}) {{
  const column = headings.findIndex((heading) => heading.textContent === name);
  seen[name] = ["ascending", "descending"].map(() => {{
    headings[column].click();
    return [...table.tBodies].map((body) => [...body.rows]
        .filter((row) => row.children.length > 1).map((row) => row.children[column].textContent));
  }});
}}
const found = document.createElement("pre");
found.id = "found";
found.textContent = JSON.stringify({{seen, errors, width: document.body.scrollWidth}});
parent.document.body.append(found);
</script>
"""


def outcome(page, tmp_path, names, width):
    """What the probe found on the page in a frame of so many pixels: no window is below 500."""
    probed = tmp_path / "probed.html"
    text = html.escape(PROBE.format(page=page, names=json.dumps(names)))
    probed.write_text(
        f'<body><iframe width="{width}" height="900" srcdoc="{text}"></iframe></body>'
    )
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"]
    done = subprocess.run(
        [BROWSER, *words, f"--user-data-dir={tmp_path}/profile", "--dump-dom", probed.as_uri()],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    words = "run --strategy ring,zigzag,allgather,flashcp,ulysses --workload pile --tokens 4K"
    run(
        *words.split(),
        "--ranks",
        "3,4",
        "--backend",
        "simulate",
        "--cluster",
        "h100",
        "--output",
        folder,
    )
    done = run("report", folder)
    assert done.returncode == 0, done.stderr
    return (folder / "report.html").read_text()


@pytest.mark.parametrize("width", [1280, 400])
def test_tables_sort_and_nothing_fails(page, tmp_path, width):
    found = outcome(page, tmp_path, ["strategy", "bytes"], width)
    assert found["errors"] == []
    assert found["width"] <= width
    for ascending, descending in zip(*found["seen"]["strategy"], strict=True):
        assert ascending == sorted(ascending) and descending == ascending[::-1]
    units = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
    for ascending, descending in zip(*found["seen"]["bytes"], strict=True):
        values = [float(n) * units[u] for n, u in map(str.split, filter(None, ascending))]
        assert values == sorted(values) and len(set(values)) > 2
        missing = ascending.count("")
        assert descending == ascending[: len(values)][::-1] + [""] * missing
