"""Lays out one self-contained HTML file: the texts and tables of a report, and its figures.

`cpbench report DIR` starts it and hands it the page's texts and tables as JSON on standard input;
harness/cli/page.h describes them. Nothing is loaded from elsewhere, so the file can be sent and
kept. The same results give the same bytes.
"""

import json
import os
import sys
from pathlib import Path

try:
    import page
    import report_figures
    import results
except ImportError as error:
    print(
        f"cpbench: error: the report requires the Python package '{error.name}'; run scripts/setup",
        file=sys.stderr,
    )
    sys.exit(2)


def block(kind, content, runs):
    if kind == "table":
        return page.table(content["columns"], content["groups"])
    if kind == "figures":
        return report_figures.applicable(runs)
    if kind == "command":
        return page.element("pre", content)
    return page.element("p", content, kind="" if kind == "text" else kind)


def section(given, runs):
    text = page.Markup("".join(block(*item, runs) for b in given["blocks"] for item in b.items()))
    if "folded" in given:
        text = page.folded(given["folded"], text)
    return page.section(given["title"], text) if given["title"] else text


def document(given, runs):
    body = page.element("h1", given["title"])
    body += "".join(section(part, runs) for part in given["sections"])
    return page.document(given["title"], body)


def write(path, text):
    """Writes the whole file or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main():
    given = json.load(sys.stdin)
    try:
        write(Path(given["output"]), document(given, results.load_runs(*given["files"])))
    except (results.ResultError, OSError) as error:
        print(f"cpbench: error: {error}", file=sys.stderr)
        return 2
    print(given["output"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
