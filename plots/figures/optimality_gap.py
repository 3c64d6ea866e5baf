"""How far FlashCP's heuristic is from its exact optimum, as in the paper's Table 2.

Like is compared with like: the heuristic and the program with the least bytes at the same ratio,
both with equal tokens on all ranks. The paper's program, which minimises work plus communication,
stands next to them. Left: the share of a solver's packs at or below a communication saving,
1 - B / (T / N). Right: the same for the imbalance of compute.

Only packs count that all solvers of a ratio planned. The means are printed as well. The figure is
drawn only when it is named.
"""

import numpy as np

import results
import style

PLACE = None


def solver_of(run):
    """(ratio, "heuristic" or "exact"); the paper's program has no ratio."""
    options = dict(pair.split("=", 1) for pair in run.options.split(",") if pair)
    if "solver" not in options:
        return options.get("ratio", "1.05"), "heuristic"
    if options.get("objective") == "bytes":
        return options.get("ratio", "1.05"), "exact"
    return "", "exact"


def saving(run):
    return run.metrics["communication_saving"]


def imbalance(run):
    return run.metrics["compute_imbalance"]


QUANTITIES = {"communication saving": saving, "compute imbalance, max / mean": imbalance}


def solved(runs):
    """{(ratio, solver): {pack: run}}, with the packs that all solvers of the ratio planned."""
    found = {}
    for run in runs:
        if run.strategy == "flashcp" and run.status == "ok":
            pack = (run.workload, run.tokens, run.ranks, run.seed)
            found.setdefault(solver_of(run), {})[pack] = run
    pairs = {}
    for ratio in sorted({ratio for ratio, _ in found}):
        mine = {key: packs for key, packs in found.items() if key[0] == ratio}
        common = set.intersection(*(set(packs) for packs in mine.values()))
        if ratio and len(mine) < 2:
            continue
        for key, packs in mine.items():
            pairs[key] = {pack: packs[pack] for pack in sorted(common)}
    if not any(len(packs) for (ratio, _), packs in pairs.items() if ratio):
        raise results.NothingToDraw("no pack was planned by both flashcp and its exact solver")
    return pairs


def draw(runs):
    found = solved(runs)
    fig, axes = style.figure("full", 2.4, columns=2)
    colours = {ratio: f"C{i}" for i, ratio in enumerate(sorted({key[0] for key in found}))}
    for panel, (words, quantity) in zip(axes, QUANTITIES.items(), strict=True):
        for (ratio, solver), packs in found.items():
            name = f"{solver}, ratio {ratio}" if ratio else "exact, work plus communication"
            values = np.sort([quantity(run) for run in packs.values()])
            shares = np.arange(1, len(values) + 1) / len(values)
            panel.step(values, shares, "--" if solver == "exact" else "-", where="post",
                       color=colours[ratio], label=f"{name} ({len(values)} packs)")  # fmt: skip
            print(f"{words}, {name}: mean {values.mean():.3f}, median {np.median(values):.3f}, "
                  f"{len(values)} packs")  # fmt: skip
        panel.set_xlabel(words)
        panel.set_ylim(0, 1.02)
        panel.grid(axis="x")
    axes[0].set_ylabel("share of packs")
    for ratio in sorted({ratio for ratio, _ in found if ratio}):
        exact, heuristic = found[ratio, "exact"], found[ratio, "heuristic"]
        gap = np.array([saving(exact[pack]) - saving(heuristic[pack]) for pack in exact])
        print(f"gap in saving at ratio {ratio} over {len(gap)} packs: mean {gap.mean():.3f}, "
              f"most {gap.max():.3f}; none in {np.sum(gap <= 0.001)}")  # fmt: skip
    style.legend(fig, *axes[0].get_legend_handles_labels())
    run = runs[0]
    refused = sum(r.status != "ok" for r in runs)
    workloads = ", ".join(sorted({r.workload for r in runs}))
    notes = [workloads, f"{run.tokens} tokens", f"{run.ranks} ranks", "equal tokens on all ranks"]
    style.footer(fig, [*notes, f"no proof for {refused} runs"] if refused else notes)
    return fig, [run for packs in found.values() for run in packs.values()]
