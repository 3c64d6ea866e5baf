"""Beyond the FCP paper: normalised MFU at up to 4,096 ranks, and the time to plan."""

import numpy as np
import style
from reproduce_fcp_fig10 import normalised
from reproduced import Row, read_cells

TITLE = "FCP beyond its paper: up to 4,096 ranks"
UNITS = {"normalised MFU": "%", "planning": "ms"}


def compare(folder):
    cells = read_cells(folder / "scaling.csv")
    rows = [
        Row("forward", ("normalised MFU", f"{ranks} ranks"), name, None, float(np.mean(values)),
            min(values), max(values), "%")
        for (_, ranks, name), values in sorted(normalised(cells).items())
    ]  # fmt: skip
    for cell in sorted(cells, key=lambda cell: cell["ranks"]):
        if cell["ranks"] > 1:
            group = ("planning", f"{cell['ranks']:.0f} ranks")
            rows.append(Row("forward", group, cell["label"], None,
                            1e3 * cell["planning_seconds"], unit="ms"))  # fmt: skip
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
