"""The figures of result files, one file each: adding a figure is adding a file to this folder.

figures/<name>.py has

    a docstring             its first sentence is the title, its first two paragraphs the caption
                            in a report, and all of it is `scripts/plot <name> --help`
    PLACE                   its position in reports and in `scripts/plot all`, ascending;
                            None: it is drawn only when it is named
    draw(runs)              returns the figure and the runs that it shows; raises
                            results.NothingToDraw if the runs hold nothing that it shows
    READS_WORKLOADS = True  optional: draw(runs, workloads=()) also shows what `cpbench workload
                            --format json` printed (workload_files.Workload)
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    name: str
    help: str
    place: int | None
    reads_workloads: bool
    draw: Callable

    @property
    def caption(self):
        return " ".join(" ".join(self.help.split("\n\n")[:2]).split())


def every():
    """All figures, in the order of their places; those that are drawn only by name come last."""
    found = []
    for path in Path(__file__).parent.glob("*.py"):
        if path.stem != "__init__":
            module = importlib.import_module(f"figures.{path.stem}")
            reads_workloads = getattr(module, "READS_WORKLOADS", False)
            help = module.__doc__.strip()
            found.append(Figure(path.stem, help, module.PLACE, reads_workloads, module.draw))
    return sorted(found, key=lambda figure: (figure.place is None, figure.place or 0, figure.name))
