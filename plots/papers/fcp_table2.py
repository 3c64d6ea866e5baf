"""FCP Table 2: what each part of the method adds, as MFU and relative to the last arm.

The backward pass is the difference between both passes together and the forward pass only. Sums
over seeds.
"""

import style
from published import Row, read_published, read_runs

TITLE = "FCP Table 2: ablation"
ARMS = ("base", "pipelined", "conflict_free", "coalesced", "reshuffle_overlapped")
LAST = ARMS[-1]
SETUPS = {
    ("fcp_gpu_x", 64): "GPU-X, 64 ranks",
    ("fcp_gpu_x", 128): "GPU-X, 128 ranks",
    ("fcp_gpu_y", 64): "GPU-Y, 64 ranks",
}


def mfus(runs):
    """{(cluster and ranks, direction, arm): percent of the peak}."""
    sums = {}
    for run in runs:
        options = dict(pair.split("=") for pair in run["options"].split(",") if pair)
        key = ((run["cluster"], int(run["ranks"])), options.get("arm", LAST))
        whole = run["attention_flops"] / run["mfu"]  # ranks * peak * seconds
        flops, peak = sums.setdefault(key, {}).setdefault(run["direction"], (0, 0))
        sums[key][run["direction"]] = (flops + run["attention_flops"], peak + whole)
    found = {}
    for (setup, arm), by in sums.items():
        forward, both = by["forward"], by["both"]
        found[setup, "forward", arm] = 100 * forward[0] / forward[1]
        found[setup, "backward", arm] = 100 * (both[0] - forward[0]) / (both[1] - forward[1])
    return found


def counts(row):
    """Only values relative to the last arm: the absolute MFU depends on the GPU."""
    return row.group[1] == "relative to the last arm"


def compare(folder):
    published = {
        (row["direction"], row["arm"]): 100 * float(row["mfu"])
        for row in read_published("fcp_table2_ablation")
    }
    found = mfus(read_runs(folder / "table2.csv"))
    rows = []
    for setup, name in SETUPS.items():
        for direction in ("forward", "backward"):
            for arm in ARMS:
                paper, ours = published[direction, arm], found[setup, direction, arm]
                last, our_last = published[direction, LAST], found[setup, direction, LAST]
                variant = f"{name}, {direction}"
                rows.append(Row(variant, (arm, "MFU"), "fcp", paper, ours, unit="%"))
                if arm != LAST:
                    rows.append(
                        Row(variant, (arm, "relative to the last arm"), "fcp",
                            100 * paper / last, 100 * ours / our_last, unit="%")
                    )  # fmt: skip
    return rows


def draw(rows, notes):
    fig, panels = style.figure("full", 2.5, columns=2, sharey=True)
    columns = ("published", *SETUPS.values())
    colours = ("white", *style.COLOURS[: len(SETUPS)])
    width = 0.84 / len(columns)
    for axes, direction in zip(panels, ("forward", "backward"), strict=True):
        for i, arm in enumerate(ARMS):
            for j, column in enumerate(columns):
                name = column if j else next(iter(SETUPS.values()))
                row = next(r for r in rows if r.variant == f"{name}, {direction}"
                           and r.group == (arm, "MFU"))  # fmt: skip
                x = i + (j - (len(columns) - 1) / 2) * width
                axes.bar(x, row.ours if j else row.published, width,
                         facecolor=colours[j], hatch=style.HATCHES[j], edgecolor="black",
                         linewidth=0.4, label=None if i else column)  # fmt: skip
        axes.set_xticks(range(len(ARMS)), [arm.replace("_", "\n") for arm in ARMS])
        axes.set_title(direction, loc="left")
    panels[0].set_ylabel("MFU, %")
    style.footer(fig, ["32K tokens per rank", "lognormal, mean 16K, sigma 2", *notes])
    style.legend(fig, *panels[0].get_legend_handles_labels())
    return fig
