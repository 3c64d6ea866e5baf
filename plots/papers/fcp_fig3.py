"""FCP Fig. 3: MFU of the kernel alone on one GPU-X, by sequence length and by block size.

A sequence is causal. A block is a pair of blocks, queries and keys, without a mask.
"""

import style
from claims import Claim, yes
from published import Row, read_runs, size

TITLE = "FCP Fig. 3: kernel MFU"
KINDS = {"document_causal": "sequence, causal", "document_full": "block, full"}
BLOCK, ENOUGH = 4096, 90  # the paper's block; percent of the largest MFU


def compare(folder):
    works = {}
    for run in read_runs(folder / "fig3.csv"):
        tokens = size(run["workload"].partition("=")[2]) if "K" in run["workload"] else int(
            run["workload"].partition("=")[2])  # fmt: skip
        works.setdefault((run["mask"], tokens), {})[run["direction"]] = (
            run["attention_flops"], run["attention_flops"] / run["mfu"])  # fmt: skip
    rows = []
    for (mask, tokens), by in sorted(works.items()):
        forward, both = by["forward"], by["both"]
        back = [b - f for b, f in zip(both, forward, strict=True)]
        for direction, (flops, peak) in (("forward", forward), ("backward", back)):
            rows.append(Row(f"{KINDS[mask]}, {direction}", (f"{tokens} tokens",), "kernel", None,
                            100 * flops / peak, unit="%"))  # fmt: skip
    return rows


def tokens_of(row):
    return int(row.group[0].split()[0])


def draw(rows, notes):
    fig, axes = style.figure("full", 2.6)
    for i, variant in enumerate(dict.fromkeys(row.variant for row in rows)):
        mine = [row for row in rows if row.variant == variant]
        axes.plot([tokens_of(row) for row in mine], [row.ours for row in mine], label=variant,
                  color=style.COLOURS[i], marker=style.MARKERS[i], markeredgecolor="black",
                  markeredgewidth=0.4)  # fmt: skip
    ticks = sorted({tokens_of(row) for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{x // 1024}K" if x >= 1024 else str(x) for x in ticks])
    axes.tick_params(axis="x", which="minor", length=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("tokens")
    axes.set_ylabel("MFU, %")
    style.footer(fig, ["one GPU-X", "64 query and 8 KV heads of 128", *notes])
    style.legend(fig, *axes.get_legend_handles_labels())
    return fig


def claims(rows):
    shares = {}
    for variant in dict.fromkeys(row.variant for row in rows):
        of = {tokens_of(row): row.ours for row in rows if row.variant == variant}
        shares[variant] = 100 * of[BLOCK] / max(of.values())
    text = ", ".join(f"{share:.0f}% ({variant})" for variant, share in shares.items())
    return [Claim("fig3", "4K tokens are enough for the kernel's efficiency", "yes",
                  f"of the largest MFU: {text}", yes(min(shares.values()) >= ENOUGH))]  # fmt: skip
