"""FlashCP Fig. 7: speed-up over all-gather by context length, WLB lengths, 8 ranks, 32 heads.

Shorter contexts are the first tokens of the packs of 128K. Bars and whiskers are those of Fig. 5.
"""

import style
from claims import Claim, closeness
from paired_bars import bar_legend, draw_groups
from published import Row, drawn_variants, read_published, read_runs, size, speedups, variants

TITLE = "FlashCP Fig. 7: speed-up over all-gather by context length"
STRATEGIES = ("allgather", "per_doc", "flashcp")
DIRECTIONS = {"forward": "forward", "both": "training"}


def group_of(run):
    return (DIRECTIONS[run["direction"]], f"{size(run['tokens']) >> 10}K tokens")


def compare(folder):
    published = {}
    for row in read_published("flashcp_fig7_context"):
        group = (row["direction"], f"{int(row['context_tokens']) >> 10}K tokens")
        published[group, row["strategy"]] = float(row["speedup_over_allgather"])
        published[group, "allgather"] = 1.0
    return [
        Row(variant, group, name, published[group, name], whole, low, high)
        for variant, runs in variants(read_runs(folder / "fig7.csv"))
        for (group, name), (whole, low, high) in speedups(runs, group_of).items()
    ]


def draw(rows, notes):
    kinds = drawn_variants(rows)
    fig, panels = style.figure("full", 1.55 * len(kinds), rows=len(kinds), squeeze=False)
    for axes, variant in zip(panels[:, 0], kinds, strict=True):
        mine = [row for row in rows if row.variant == variant]
        groups = list(dict.fromkeys(row.group for row in mine))
        groups.sort(key=lambda g: (g[0], size(g[1].split()[0])))
        draw_groups(axes, groups, STRATEGIES, mine)
        axes.set_xticks(range(len(groups)), ["\n".join(group) for group in groups])
        axes.axhline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_title(f"profile {variant}", loc="left")
        axes.set_ylabel("speed / allgather")
    style.footer(fig, ["H100 node", "WLB lengths, 8 ranks, 32 heads", *notes])
    bar_legend(fig, STRATEGIES)
    return fig


def claims(rows):
    """Means over the context lengths."""
    means = {}
    for row in rows:
        if row.strategy == "flashcp":
            key = (row.variant, row.group[0])
            means.setdefault(key, []).append((row.published, row.ours))
    found = []
    for (variant, direction), pairs in means.items():
        paper, ours = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
        words = f"{variant}, {len(pairs)} contexts, {direction}"
        found.append(Claim("fig7", f"average over Llama 3 ({words})", f"{paper:.2f}",
                           f"{ours:.2f}", closeness(paper, ours)))  # fmt: skip
    return found
