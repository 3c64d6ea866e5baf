"""Draws what `cpbench reproduce METHOD` ran, published values next to ours, and their errors.

    python3 plots/reproduce.py METHOD RUN_DIR FIGURE... [--output DIR]

RUN_DIR/<figure>.csv has the runs of a figure; papers/<method>_<figure>.py draws it. Writes
<figure>.pdf, .png and .csv (every bar: published, ours, error), claims.csv (what the paper claims,
and whether it holds here) and <method>.md (all tables), which begins with the claims and ends with
the error per strategy. Prints the claims and those errors, or with --brief nothing.
"""

import argparse
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import claims
import error_tables
import published
import results
import style


def model_notes(runs):
    """That times are simulated, with the errors of the models; nothing for plans."""
    errors = [run["model_error"] for run in runs if run["simulated"] == "yes"]
    # The figure names the profiles itself.
    parts = [part for part in style.model_parts(errors) if not part.startswith("profile ")]
    return ["simulated times", *parts] if parts else []


def closing(module, rows):
    """The module's own summary, or the errors of the rows that count."""
    if hasattr(module, "closing"):
        return module.closing(rows)
    counted = [row for row in rows if not hasattr(module, "counts") or module.counts(row)]
    if not error_tables.compared(counted):
        return "Nothing to compare."
    return error_tables.summary(counted)


def drawn(figures, found):
    """The names under which the claims of these figures stand."""
    return {*figures, *(claim.figure for claim in found)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("method")
    parser.add_argument("runs", metavar="RUN_DIR", type=Path)
    parser.add_argument("figures", metavar="FIGURE", nargs="+")
    parser.add_argument("--output", metavar="DIR", type=Path, help="default: RUN_DIR/figures")
    parser.add_argument("--brief", action="store_true", help="only write files")
    arguments = parser.parse_args()
    output = arguments.output or arguments.runs / "figures"
    output.mkdir(parents=True, exist_ok=True)
    tables, summaries, found = [], [], []
    for name in arguments.figures:
        module = importlib.import_module(f"papers.{arguments.method}_{name}")
        runs = published.rows_of_csv(arguments.runs / f"{name}.csv")
        rows = module.compare(arguments.runs)
        if not rows:
            raise results.ResultError(f"{arguments.runs}/{name}.csv: no run that can be compared")
        error_tables.write_csv(rows, output / f"{name}.csv")
        notes = getattr(module, "notes", list)(model_notes(runs))
        fig = module.draw(rows, notes)
        table = getattr(module, "table", error_tables.table)
        style.save(fig, name, output, [SimpleNamespace(run_id=run["run_id"]) for run in runs])
        tables.append(f"## {module.TITLE}\n\n![{module.TITLE}]({name}.png)\n\n"
                      f"{table(rows)}\n\n{'; '.join(notes)}\n")  # fmt: skip
        found += module.claims(rows) if hasattr(module, "claims") else []
        summaries.append(f"### {module.TITLE}\n\n{closing(module, rows)}\n")
    claimed = claims.write(output / "claims.csv", found, drawn(arguments.figures, found))
    head = []
    if claimed:
        line = claims.headline(arguments.method, output / "claims.csv")
        head = [f"## Claims\n\n{line}.\n\n{claimed}\n"]
    tail = ["## Error per strategy\n", *summaries]
    (output / f"{arguments.method}.md").write_text("\n".join([*head, *tables, *tail]))
    if not arguments.brief:  # the long tables are only in the file
        print("\n".join([*head, *tail]))
    print(f"all tables: {output / arguments.method}.md", file=sys.stderr)
    for path in [] if arguments.brief else sorted(output.glob("*.p[nd][gf]")):
        print(path, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (results.ResultError, OSError) as error:
        sys.exit(f"reproduce: {error}")
