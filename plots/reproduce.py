"""Draws what `cpbench reproduce METHOD` ran, published values beside ours, and says how far off.

    python3 plots/reproduce.py METHOD RUN_DIR FIGURE... [--output DIR]

RUN_DIR/<figure>.csv are the cells of a figure. Writes <figure>.pdf, .png and .csv (every bar:
published, ours, error) and <method>.md (all tables), whose last section is the error per strategy.
"""

import argparse
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import reproduced
import style

import results


def model_notes(cells):
    """That times are simulated, and the errors of the models; nothing for plans."""
    errors = {
        cell["model_error"].split("; profile ")[0]  # which profile it is stands in the figure
        for cell in cells
        if cell["simulated"] == "yes"
    }
    parts = dict.fromkeys(part for error in sorted(errors) for part in error.split("; "))
    return ["simulated times", *parts] if parts else []


def closing(module, rows):
    """A module's own words, or the errors of the rows that it says count."""
    if hasattr(module, "closing"):
        return module.closing(rows)
    counted = [row for row in rows if not hasattr(module, "counts") or module.counts(row)]
    return reproduced.summary(counted) if reproduced.compared(counted) else "Nothing to compare."


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("method")
    parser.add_argument("runs", metavar="RUN_DIR", type=Path)
    parser.add_argument("figures", metavar="FIGURE", nargs="+")
    parser.add_argument("--output", metavar="DIR", type=Path, help="default: RUN_DIR/figures")
    arguments = parser.parse_args()
    output = arguments.output or arguments.runs / "figures"
    output.mkdir(parents=True, exist_ok=True)
    tables, summaries = [], []
    for name in arguments.figures:
        module = importlib.import_module(f"reproduce_{arguments.method}_{name}")
        cells = reproduced.rows_of_csv(arguments.runs / f"{name}.csv")
        rows = module.compare(arguments.runs)
        if not rows:
            raise results.ResultError(f"{arguments.runs}/{name}.csv: no cell that can be compared")
        reproduced.write_csv(rows, output / f"{name}.csv")
        notes = model_notes(cells)
        fig = module.draw(rows, notes)
        style.save(fig, name, output, [SimpleNamespace(run_id=cell["run_id"]) for cell in cells])
        tables.append(f"## {module.TITLE}\n\n![{module.TITLE}]({name}.png)\n\n"
                      f"{reproduced.table(rows)}\n\n{'; '.join(notes)}\n")  # fmt: skip
        summaries.append(f"### {module.TITLE}\n\n{closing(module, rows)}\n")
    text = "\n".join([*tables, "## Error per strategy\n", *summaries])
    (output / f"{arguments.method}.md").write_text(text)
    print(text)
    for path in sorted(output.glob("*.p[nd][gf]")):
        print(path, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (results.ResultError, OSError) as error:
        sys.exit(f"reproduce: {error}")
