"""FCP Table 2: what each part of the method adds on 128 GPU-X: MFU, and relative to the last arm.

The backward pass is the difference between both passes together and the forward pass only.
"""

import numpy as np

import fcp
import style
from claims import Claim, yes
from published import Row, read_published, read_runs

TITLE = "FCP Table 2: ablation on 128 GPU-X"
ARMS = ("base", "pipelined", "conflict_free", "coalesced", "reshuffle_overlapped")
LAST = ARMS[-1]
CLOSE = 10  # points


def arm(label):
    return label.partition("arm=")[2].rstrip(")") or LAST


def counts(row):
    """Absolute MFU; the ratios to the last arm follow from it."""
    return row.group[1] == "MFU"


def compare(folder):
    published = {
        (row["direction"], row["arm"]): 100 * float(row["mfu"])
        for row in read_published("fcp_table2_ablation")
    }
    found = {}
    for point, values in fcp.mfu(read_runs(folder / "table2.csv")).items():
        of = found.setdefault((point.lengths, point.direction), {})
        of[arm(point.label)] = values
    rows = []
    for (lengths, direction), of in sorted(found.items()):
        variant, last = f"{lengths}, {direction}", float(np.mean(of[LAST]))
        for name in ARMS:
            paper, ours = published[direction, name], float(np.mean(of[name]))
            rows.append(
                Row(variant, (name, "MFU"), "fcp", paper, ours, min(of[name]), max(of[name]), "%")
            )
            if name != LAST:
                rows.append(Row(variant, (name, "relative to the last arm"), "fcp",
                                100 * paper / published[direction, LAST], 100 * ours / last,
                                unit="%"))  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 3.0, columns=2, sharey=True)
    lengths = list(dict.fromkeys(row.variant.split(", ")[0] for row in rows))
    columns = ("published", *lengths)
    width = 0.84 / len(columns)
    for axes, direction in zip(panels, ("forward", "backward"), strict=True):
        for i, name in enumerate(ARMS):
            for j, column in enumerate(columns):
                variant = f"{column if j else lengths[0]}, {direction}"
                row = next(r for r in rows if (r.variant, r.group) == (variant, (name, "MFU")))
                x = i + (j - (len(columns) - 1) / 2) * width
                axes.bar(x, row.ours if j else row.published, width,
                         yerr=fcp.whiskers([row]) if j else None,
                         error_kw={"elinewidth": 0.5, "capsize": 2},
                         facecolor=style.COLOURS[j - 1] if j else "white",
                         hatch=style.HATCHES[j], edgecolor="black", linewidth=0.4,
                         label=None if i else column)  # fmt: skip
        axes.set_xticks(range(len(ARMS)), [name.replace("_", "\n") for name in ARMS])
        axes.set_title(direction, loc="left")
    panels[0].set_ylabel("MFU, %")
    style.footer(fig, ["fcp", "128 GPU-X", "32K tokens per GPU", fcp.WHISKERS, *notes])
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig


def claims(rows):
    found = []
    for variant in dict.fromkeys(row.variant for row in rows):
        mine = [row for row in rows if row.variant == variant and counts(row)]
        ours, paper = [row.ours for row in mine], [row.published for row in mine]
        text = " / ".join(f"{value:.0f}" for value in ours) + "%"
        found.append(
            Claim("table2", f"each arm is faster than the one before ({variant})",
                  " / ".join(f"{value:.0f}" for value in paper) + "%", text,
                  yes(all(a < b for a, b in zip(ours, ours[1:], strict=False))))
        )  # fmt: skip
        found.append(
            Claim("table2", f"MFU of the last arm ({variant})", f"{paper[-1]:.0f}%",
                  f"{ours[-1]:.0f}%", yes(abs(ours[-1] - paper[-1]) <= CLOSE))
        )  # fmt: skip
    return found
