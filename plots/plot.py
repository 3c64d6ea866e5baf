"""Draws figures from result files, as PDF and PNG.

    scripts/plot results/runs/quick               all that apply, into results/runs/quick/plots
    scripts/plot throughput results/runs/quick    only this one
    scripts/plot throughput --help                what it shows

Prints the paths of the files on stdout. Exit codes: 0 drawn, 1 the results cannot be read or hold
nothing to draw, 2 usage.
"""

import argparse
import functools
import sys
from pathlib import Path

import figures
import results
import style
import workload_files


def parse(words):
    """(the figures to draw, the paths of the results, the folder for the figures)"""
    every = figures.every()
    names = [figure.name for figure in every]
    first, named = (words or [""])[0], None
    if first in names:
        named = every[names.index(first)]
    if named or first == "all":
        words = words[1:]
    elif first and not first.startswith("-") and not Path(first).exists():
        choices = ", ".join(names)
        print(f"plot: '{first}' is neither a figure ({choices}, all) nor a path", file=sys.stderr)
        sys.exit(2)
    parser = argparse.ArgumentParser(
        prog=f"scripts/plot {named.name}" if named else "scripts/plot",
        usage=None if named else "%(prog)s [FIGURE|all] RUN_DIR [RUN_DIR ...] [--output DIR]",
        description=named.help if named else f"{__doc__}\nfigures: {', '.join(names)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", metavar="RUN_DIR", nargs="+", type=Path, help="folder with results, or one file"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="folder for PDF and PNG [RUN_DIR/plots]"
    )
    arguments = parser.parse_args(words)
    folder = arguments.paths[0].parent if arguments.paths[0].is_file() else arguments.paths[0]
    chosen = [named] if named else [figure for figure in every if figure.place is not None]
    return chosen, arguments.paths, arguments.output or folder / "plots"


def load(figure, paths, load_runs):
    """The arguments of the figure's `draw`: runs, and workloads if it reads them."""
    workloads = workload_files.load(*paths) if figure.reads_workloads else []
    has_runs = any(results.files_in(path, ".h5") for path in paths)
    runs = load_runs(*paths) if has_runs or not workloads else []
    return (runs, workloads) if figure.reads_workloads else (runs,)


def main(words):
    chosen, paths, output = parse(words)
    load_runs = functools.cache(results.load_runs)
    not_applicable, errors, drawn = [], [], 0
    for figure in chosen:
        try:
            fig, shown = figure.draw(*load(figure, paths, load_runs))
            for path in style.save(fig, figure.name, output, shown):
                print(path)
            drawn += 1
        except results.NothingToDraw as reason:
            not_applicable.append(str(reason))
        except (results.ResultError, OSError) as error:
            errors.append(str(error))
    # A figure that does not apply is worth a word only if it was named or none was drawn.
    for message in dict.fromkeys(errors or not_applicable[: not drawn]):
        print(f"plot: {message}", file=sys.stderr)
    return int(bool(errors) or not drawn)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
