"""FCP Fig. 12: MFU by block size on 128 GPU-X."""

import fcp
import style
from claims import Claim, yes
from published import read_runs

TITLE = "FCP Fig. 12: block sizes on 128 GPU-X"
BEST = 4096  # in the paper, whose sizes from 2K to 6K are within about 7%
NEAR = (2048, 6144)


def block(label):
    options = dict(
        pair.split("=") for pair in label.partition("(")[2].rstrip(")").split(",") if pair
    )
    return int(options.get("block", BEST))


def compare(folder):
    runs = read_runs(folder / "fig12.csv")
    rows = fcp.rows_of(runs, {run["label"] for run in runs})
    named = {row.strategy: f"block {block(row.strategy)}" for row in rows}
    return sorted(fcp.relabelled(rows, named), key=lambda row: (row.variant, tokens(row)))


def tokens(row):
    return int(row.strategy.split()[1])


def draw(rows, notes):
    variants = list(dict.fromkeys(row.variant for row in rows))
    fig, axes = style.figure("full", 2.6)
    sizes = sorted({tokens(row) for row in rows})
    width = 0.84 / len(variants)
    for i, variant in enumerate(variants):
        mine = [row for row in rows if row.variant == variant]
        axes.bar(
            [sizes.index(tokens(row)) + (i - (len(variants) - 1) / 2) * width for row in mine],
            [row.ours for row in mine], width, yerr=fcp.whiskers(mine), facecolor=style.COLOURS[i],
            edgecolor="black", hatch=style.HATCHES[i], linewidth=0.4, label=variant,
            error_kw={"elinewidth": 0.5, "capsize": 2},
        )  # fmt: skip
    axes.set_xticks(range(len(sizes)), [f"{size // 1024}K" for size in sizes])
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("tokens per block")
    axes.set_ylabel("MFU, %")
    style.footer(fig, ["fcp", "128 GPU-X", "32K tokens per GPU", fcp.WHISKERS, *notes])
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig


def claims(rows):
    best, loss = {}, []
    for variant in dict.fromkeys(row.variant for row in rows):
        of = {tokens(row): row.ours for row in rows if row.variant == variant}
        best[variant] = max(of, key=of.get)
        near = [of[size] for size in of if NEAR[0] <= size <= NEAR[1]]
        loss.append(1 - min(near) / max(near))
    text = ", ".join(f"{size // 1024}K ({variant})" for variant, size in best.items())
    return [
        Claim("fig12", "blocks of 4K are best", "4K", text,
              yes(all(size == BEST for size in best.values()))),
        Claim("fig12", "2K to 6K are within about 7%", "7%", f"{100 * max(loss):.0f}%",
              yes(max(loss) <= 0.08)),
    ]  # fmt: skip
