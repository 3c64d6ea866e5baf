"""Bars of published values next to ours, and their legend."""

import style


def outline(name):
    """The look of a published bar: as ours, but not filled."""
    return {**style.bar(name), "facecolor": "white", "edgecolor": style.colour(name)}


def draw_groups(axes, groups, strategies, rows):
    """Groups of bars: for each strategy the published value, not filled, then ours, filled.

    Whiskers are the extremes over seeds.
    """
    rows = {(row.group, row.strategy): row for row in rows}
    width = 0.84 / (2 * len(strategies))
    for centre, group in enumerate(groups):
        for i, name in enumerate(strategies):
            row = rows.get((group, name))
            if row is None:
                continue
            x = centre + (2 * i - len(strategies) + 0.5) * width
            if row.published is not None:
                axes.bar(x, row.published, width, **outline(name))
            whiskers = {}
            if row.low is not None and row.high is not None:
                below, above = max(0, row.ours - row.low), max(0, row.high - row.ours)
                whiskers = {"yerr": [[below], [above]], "capsize": 1,
                            "error_kw": {"elinewidth": 0.5, "capthick": 0.5}}  # fmt: skip
            axes.bar(x + width, row.ours, width, **style.bar(name), **whiskers)
    axes.set_xticks(range(len(groups)))
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(groups) - 0.5)


def bar_legend(fig, strategies, ours="simulated"):
    edge = {"edgecolor": "black", "linewidth": 0.4}
    samples = [style.swatch(**style.bar(name)) for name in strategies]
    samples += [style.swatch(facecolor=colour, **edge) for colour in ("white", "#999999")]
    style.legend(fig, samples, [*strategies, "published: unfilled", f"{ours}: filled"])
