"""Beyond the FCP paper: normalised MFU at up to 4,096 ranks, and the time to plan."""

import numpy as np

import style
from papers.fcp_fig10 import normalised
from published import Row, read_runs

TITLE = "FCP beyond its paper: up to 4,096 ranks"
UNITS = {"normalised MFU": "%", "planning": "ms"}


def compare(folder):
    runs = read_runs(folder / "scaling.csv")
    rows = [
        Row("forward", ("normalised MFU", f"{ranks} ranks"), name, None, float(np.mean(values)),
            min(values), max(values), "%")
        for (_, ranks, name), values in sorted(normalised(runs).items())
    ]  # fmt: skip
    for run in sorted(runs, key=lambda run: run["ranks"]):
        if run["ranks"] > 1:
            group = ("planning", f"{run['ranks']:.0f} ranks")
            rows.append(Row("forward", group, run["label"], None,
                            1e3 * run["planning_seconds"], unit="ms"))  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 2.0, columns=2)
    for axes, (quantity, unit) in zip(panels, UNITS.items(), strict=True):
        mine = [row for row in rows if row.group[0] == quantity]
        ranks = [int(row.group[1].split()[0]) for row in mine]
        axes.plot(ranks, [row.ours for row in mine], **style.line("fcp"))
        axes.set_xscale("log", base=4)
        axes.set_xticks(ranks, [str(n) for n in ranks])
        axes.tick_params(axis="x", which="minor", length=0)
        axes.set_ylabel(f"{quantity}, {unit}")
        axes.set_xlabel("ranks")
    panels[0].set_ylim(0, 105)
    panels[1].set_yscale("log")
    panels[1].margins(y=0.1)
    style.footer(fig, ["fcp on GPU-Y", "forward", "32K tokens per rank", *notes])
    return fig
