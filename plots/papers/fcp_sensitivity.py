"""How much MFU depends on what the FCP paper leaves open: 64 GPU-X, lengths of magi_pretrain."""

import fcp
import style
from published import Row, read_runs

TITLE = "FCP: sensitivity to assumptions, 64 GPU-X"
ASSUMED = {"ideal": "profile ideal", "cudnn_h200": "kernel cudnn_h200"}


def compare(folder):
    by = {}
    for run in read_runs(folder / "sensitivity.csv"):
        kind = ASSUMED.get(run["profile"]) or ASSUMED.get(run["kernel"]) or "as assumed"
        by.setdefault(kind, []).append(run)
    return [
        Row(point.direction, (kind,), point.label, None, values[0], unit="%")
        for kind, runs in by.items() for point, values in fcp.mfu(runs).items()
    ]  # fmt: skip


def draw(rows, notes):
    directions = ("forward", "backward")
    names = list(dict.fromkeys((row.group[0], row.strategy) for row in rows))
    of = {(row.variant, row.group[0], row.strategy): row.ours for row in rows}
    fig, panels = style.figure("full", 0.6 + 0.16 * len(names), columns=2, sharey=True)
    for axes, direction in zip(panels, directions, strict=True):
        axes.barh(range(len(names)), [of[(direction, *name)] for name in names],
                  color=[style.colour(label) for _, label in names], edgecolor="black",
                  linewidth=0.4)  # fmt: skip
        axes.set_title(direction, loc="left")
        axes.set_xlabel("MFU, %")
        axes.grid(axis="x")
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    panels[0].set_yticks(
        range(len(names)),
        [label if kind == "as assumed" else f"{label}, {kind}" for kind, label in names],
    )
    style.footer(fig, ["64 GPU-X", "32K tokens per GPU", "magi_pretrain", *notes])
    return fig
