"""Beyond the FCP paper: MFU at up to 1,024 ranks, and the time to plan."""

import fcp
import style
from published import Row, read_runs

TITLE = "FCP beyond its paper: up to 1,024 ranks"
UNITS = {"MFU": "%", "planning": "ms"}


def compare(folder):
    rows = []
    for run in sorted(read_runs(folder / "scaling.csv"), key=lambda run: run["ranks"]):
        ranks = f"{run['ranks']:.0f} ranks"
        values = {"MFU": 100 * run["mfu"], "planning": 1e3 * run["planning_seconds"]}
        rows += [Row("forward", (quantity, ranks), run["label"], None, value, unit=UNITS[quantity])
                 for quantity, value in values.items()]  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 2.6, columns=2)
    for axes, (quantity, unit) in zip(panels, UNITS.items(), strict=True):
        for label in ("fcp", fcp.IMPROVED):
            mine = [row for row in rows if row.group[0] == quantity and row.strategy == label]
            ranks = [int(row.group[1].split()[0]) for row in mine]
            axes.plot(ranks, [row.ours for row in mine], label=label, **style.line(label))
        axes.set_xscale("log", base=4)
        axes.set_xticks(ranks, [str(n) for n in ranks])
        axes.tick_params(axis="x", which="minor", length=0)
        axes.set_ylabel(f"{quantity}, {unit}")
        axes.set_xlabel("GPUs")
    panels[0].set_ylim(bottom=0)
    panels[1].set_yscale("log")
    panels[1].margins(y=0.1)
    style.footer(fig, ["GPU-X", "forward", "32K tokens per GPU", "magi_pretrain", *notes])
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig
