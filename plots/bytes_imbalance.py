"""Bytes against imbalance: what a strategy pays on the wire for an even load.

One point per run: bytes sent by all ranks (with padding and duplicates, all passes, per token of
the packs) against the compute of the most loaded rank over the mean. Down and left is better.
"""

import style

import results


def point(run):
    packs = [p for p in run.packs if p.bytes_out is not None]
    if run.status != "ok" or not packs:
        return None
    tokens = sum(p.document_lengths.sum() for p in packs)
    cells = sum(p.cells_per_rank.max() for p in packs)
    mean = sum(p.cells_per_rank.mean() for p in packs)
    return sum(p.bytes_out.sum() for p in packs) / tokens, cells / mean


def draw(runs):
    points = [(run, point(run)) for run in runs]
    points = [(run, at) for run, at in points if at]
    if not points:
        raise results.ResultError("no run has a plan to count the bytes of")
    fig, axes = style.figure("column", 2.7)
    labels = sorted({run.label for run, _ in points}, key=style.order)
    handles = {}
    for run, (bytes_per_token, imbalance) in points:
        index = labels.index(run.label)
        handles[run.label], = axes.plot(
            bytes_per_token, imbalance, linestyle="none", clip_on=False, zorder=3 + index,
            **style.line(run.strategy), **style.nested(index, len(labels)))
    missing = sorted({f"{run.label} ({run.status})" for run in runs if run.status != "ok"})
    if missing:
        axes.set_title("\n".join(style.wrapped([f"no plan: {missing[0]}", *missing[1:]], 48)),
                       fontsize=style.SMALLEST, color="#444444", loc="right")
    most = max(at[0] for _, at in points)
    least = min(at[0] for _, at in points if at[0] > 0) if most > 0 else 0
    if most > 20 * least > 0:
        axes.set_xscale("symlog", linthresh=least / 2)
    else:
        axes.xaxis.set_major_locator(style.plt.MaxNLocator(5))
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=1 - 0.03 * (max(at[1] for _, at in points) - 1 + 0.1))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")
    axes.grid(axis="x", which="major")
    axes.set_xlabel("kB on the wire per token")
    axes.set_ylabel("compute imbalance, max / mean")
    style.legend(fig, [handles[label] for label in labels], labels, columns=3)
    return fig, [run for run, _ in points]


if __name__ == "__main__":
    style.main(__doc__, draw, "bytes_imbalance")
