"""One self-contained HTML file from a folder of results: figures, tables, provenance, commands.

`cpbench report DIR` starts it. Nothing is loaded from elsewhere, so the file can be sent and kept.
The same results give the same bytes.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

try:
    import page
    import report_figures
    import report_tables
    import style

    import results
except ImportError as error:
    print(
        f"cpbench: error: the report needs the Python package '{error.name}'; run scripts/setup",
        file=sys.stderr,
    )
    sys.exit(2)

LABELS = {
    "git_sha": "commit",
    "git_dirty": "uncommitted changes",
    "cpu_model": "processor",
    "machine": "machine fingerprint",
}
APART = ("command_line", "start_utc", "end_utc")  # of one cell each; shown elsewhere
MOST_VALUES = 4  # of one key of the provenance
MOST_COMMANDS = 20


def counted(number, what, many=None):
    return f"{number} {what if number == 1 else many or what + 's'}"


def opening(runs, name):
    strategies = counted(len({run.label for run in runs}), "strategy", "strategies")
    sources = Counter(report_tables.source(run) for run in runs)
    statuses = Counter(run.status for run in runs)
    facts = [
        f"{counted(len(runs), 'cell')} of {strategies}",
        ", ".join(f"{n} {source}" for source, n in sorted(sources.items())),
        ", ".join(f"{n} {status}" for status, n in sorted(statuses.items())),
    ]
    days = sorted({run.provenance.get("start_utc", "")[:10] for run in runs} - {""})
    facts += [" to ".join(dict.fromkeys([days[0], days[-1]]))] if days else []
    text = page.element("h1", f"cpbench: {name}") + page.element("p", "; ".join(facts))
    return text + "".join(page.element("p", line, kind="caution") for line in cautions(runs))


def cautions(runs):
    """What a reader must know before believing a number."""
    lines = []
    if any(run.simulated for run in runs):
        errors = "; ".join(style.model_errors(runs)) or "unknown"
        lines.append(f"Times marked simulated are a model's, not a clock's. Its error: {errors}.")
    if over := sum(run.oversubscribed == "yes" for run in runs):
        cells = counted(over, "cell")
        lines.append(f"{cells} ran with more ranks than cores: their times compare little.")
    measured = [run for run in runs if report_tables.source(run) == "measured"]
    if any(run.provenance.get("debug_build") == "yes" for run in measured):
        lines.append("Some builds were not optimised: their times mean nothing.")
    machines = len({run.provenance.get("machine") for run in measured})
    if machines > 1:
        lines.append(f"The times are of {machines} machines: compare within one alone.")
    return lines


def reproduction(runs):
    commands = Counter(
        (run.provenance.get("git_sha", "unknown"), run.provenance.get("git_dirty", ""), command)
        for run in runs
        if (command := run.provenance.get("command_line"))
    )
    text = ""
    for (commit, dirty, command), cells in list(commands.items())[:MOST_COMMANDS]:
        changed = ", with uncommitted changes" if dirty == "yes" else ""
        text += page.element("p", f"{counted(cells, 'cell')}, commit {commit}{changed}:")
        text += page.element("pre", command)
    if len(commands) > MOST_COMMANDS:
        text += page.element("p", f"and {len(commands) - MOST_COMMANDS} more commands")
    text += page.element(
        "p",
        "One cell alone: its command is the last line of what this prints, FILE as listed below.",
    )
    return text + page.element("pre", "cpbench show FILE")


def provenance(runs):
    rows = []
    for key in dict.fromkeys(key for run in runs for key in run.provenance):
        if key in APART:
            continue
        values = Counter(run.provenance.get(key, "") for run in runs)
        texts = [
            f"{value or 'none'} ({counted(n, 'cell')})" if len(values) > 1 else value or "none"
            for value, n in values.most_common(MOST_VALUES)
        ]
        if len(values) > MOST_VALUES:
            texts.append(f"and {len(values) - MOST_VALUES} more")
        rows.append([LABELS.get(key, key.replace("_", " ")), "\n".join(texts)])
    return page.table([page.Column("what"), page.Column("value")], [(None, rows)])


def write(path, text):
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def make(runs, folder, baseline):
    sections = [
        ("Results", report_tables.comparison(runs, baseline)),
        ("Figures", report_figures.figures(runs)),
        ("What did not end well", report_tables.failures(runs)),
        ("How to reproduce", reproduction(runs)),
        ("Where it was made", provenance(runs)),
        ("What the numbers are", report_tables.definitions(runs)),
        ("All cells", page.folded("files and run ids", report_tables.every_cell(runs, folder))),
    ]
    name = folder.resolve().name
    body = opening(runs, name)
    for title, content in sections:
        body += page.section(title, content) if content else ""
    return page.document(f"cpbench: {name}", body)


def main(words=None):
    parser = argparse.ArgumentParser(prog="cpbench report", description=__doc__)
    parser.add_argument("path", type=Path, help="a folder of results, or a result file")
    parser.add_argument("--output", type=Path, help="the HTML file [<folder>/report.html]")
    parser.add_argument("--baseline", help="strategy that ratios refer to")
    arguments = parser.parse_args(words)
    folder = arguments.path.parent if arguments.path.is_file() else arguments.path
    output = arguments.output or folder / "report.html"
    try:
        runs = results.load_runs(arguments.path)
        baseline = report_tables.baseline_of(runs, arguments.baseline)
        write(output, make(runs, folder, baseline))
    except (results.ResultError, OSError) as error:
        print(f"cpbench: error: {error}", file=sys.stderr)
        return 2
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
