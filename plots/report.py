"""One self-contained HTML file from a folder of results: figures, tables, provenance, commands.

`cpbench report DIR` runs it. The file loads nothing from elsewhere, so it can be sent and archived.
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
    import results
    import style
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
APART = ("command_line", "start_utc", "end_utc")  # they differ for every run; shown elsewhere
MOST_VALUES = 4  # shown of one key of the provenance
MOST_COMMANDS = 20


def counted(number, what, many=None):
    return f"{number} {what if number == 1 else many or what + 's'}"


def opening(runs, name):
    strategies = counted(len({run.label for run in runs}), "strategy", "strategies")
    sources = Counter(report_tables.source(run) for run in runs)
    statuses = Counter(run.status for run in runs)
    lines = [
        f"{counted(len(runs), 'run')} of {strategies}",
        ", ".join(f"{n} {source}" for source, n in sorted(sources.items())),
        ", ".join(f"{n} {status}" for status, n in sorted(statuses.items())),
    ]
    days = sorted({run.provenance.get("start_utc", "")[:10] for run in runs} - {""})
    lines += [" to ".join(dict.fromkeys([days[0], days[-1]]))] if days else []
    text = page.element("h1", f"cpbench: {name}") + page.element("p", "; ".join(lines))
    return text + "".join(page.element("p", line, kind="caution") for line in cautions(runs))


def cautions(runs):
    """What a reader must know before believing a number."""
    lines = []
    if any(run.simulated for run in runs):
        errors = "; ".join(style.model_errors(runs)) or "unknown"
        lines.append(f"Times marked simulated come from a model. Its error: {errors}.")
    if over := sum(run.oversubscribed == "yes" for run in runs):
        lines.append(f"{counted(over, 'run')} had more ranks than cores: the times are unreliable.")
    measured = [run for run in runs if report_tables.source(run) == "measured"]
    if any(run.provenance.get("debug_build") == "yes" for run in measured):
        lines.append("Some builds were not optimised: their times are not meaningful.")
    machines = len({run.provenance.get("machine") for run in measured})
    if machines > 1:
        lines.append(f"The times come from {machines} machines: compare only within one of them.")
    return lines


def reproduction(runs):
    commands = Counter(
        (run.provenance.get("git_sha", "unknown"), run.provenance.get("git_dirty", ""), command)
        for run in runs
        if (command := run.provenance.get("command_line"))
    )
    text = ""
    for (commit, dirty, command), count in list(commands.items())[:MOST_COMMANDS]:
        changed = ", with uncommitted changes" if dirty == "yes" else ""
        text += page.element("p", f"{counted(count, 'run')}, commit {commit}{changed}:")
        text += page.element("pre", command)
    if len(commands) > MOST_COMMANDS:
        text += page.element("p", f"and {len(commands) - MOST_COMMANDS} more commands")
    text += page.element(
        "p",
        "To repeat one run, use the command in the last line of this output; FILE is listed below.",
    )
    return text + page.element("pre", "cpbench show FILE")


def provenance(runs):
    rows = []
    for key in dict.fromkeys(key for run in runs for key in run.provenance):
        if key in APART:
            continue
        values = Counter(run.provenance.get(key, "") for run in runs)
        texts = [
            f"{value or 'none'} ({counted(n, 'run')})" if len(values) > 1 else value or "none"
            for value, n in values.most_common(MOST_VALUES)
        ]
        if len(values) > MOST_VALUES:
            texts.append(f"and {len(values) - MOST_VALUES} more")
        rows.append([LABELS.get(key, key.replace("_", " ")), "\n".join(texts)])
    return page.table([page.Column("what"), page.Column("value")], [(None, rows)])


def write(path, text):
    """Writes the whole file or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def make(runs, folder, baseline):
    sections = [
        ("Results", report_tables.comparison(runs, baseline)),
        ("Figures", report_figures.applicable(runs)),
        ("Runs without a result", report_tables.failures(runs)),
        ("How to reproduce", reproduction(runs)),
        ("Provenance", provenance(runs)),
        ("Definitions", report_tables.definitions(runs)),
        ("All runs", page.folded("files and run ids", report_tables.every_run(runs, folder))),
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
    parser.add_argument("--baseline", help="strategy that the others are compared with")
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
