"""How far FlashCP's heuristic is from its exact optimum, as in the paper's Table 2.

It shows every pack that was planned both ways (`flashcp` and `flashcp:solver=exact`). Left: the
share of a solver's packs at or below a communication saving, 1 - B / (T / N). Right: the same for
the imbalance of compute.

The means are printed as well. The exact solver minimises bytes within the allowed imbalance, so its
imbalance may be the larger one. The figure is drawn only when it is named.
"""

import numpy as np

import results
import style

PLACE = None
SOLVERS = {"heuristic": ("flashcp", "-"), "exact": ("flashcp (solver=exact)", "--")}


def saving(run):
    return run.metrics["communication_saving"]


def imbalance(run):
    return run.metrics["compute_imbalance"]


QUANTITIES = {"communication saving": saving, "compute imbalance, max / mean": imbalance}


def pairs(runs):
    """[(heuristic, exact)] of the packs that both solvers planned."""
    found = {name: {} for name in SOLVERS}
    for run in runs:
        for name, (label, _) in SOLVERS.items():
            if run.label == label and run.status == "ok":
                key = (run.workload, run.tokens, run.ranks, run.seed)
                found[name][key] = run
    common = sorted(found["heuristic"].keys() & found["exact"].keys())
    if not common:
        raise results.NothingToDraw("no pack was planned by both flashcp and flashcp:solver=exact")
    return [(found["heuristic"][key], found["exact"][key]) for key in common]


def draw(runs):
    both = pairs(runs)
    fig, axes = style.figure("full", 2.4, columns=2)
    for panel, (words, quantity) in zip(axes, QUANTITIES.items(), strict=True):
        for index, (name, (_, dashes)) in enumerate(SOLVERS.items()):
            values = np.sort([quantity(pair[index]) for pair in both])
            shares = np.arange(1, len(values) + 1) / len(values)
            panel.step(values, shares, dashes, where="post", color=("C0", "black")[index])
            print(f"{words}, {name}: mean {values.mean():.3f}, median {np.median(values):.3f}")
        panel.set_xlabel(words)
        panel.set_ylim(0, 1.02)
        panel.grid(axis="x")
    axes[0].set_ylabel("share of packs")
    gap = np.array([saving(exact) - saving(heuristic) for heuristic, exact in both])
    print(f"gap in saving over {len(gap)} packs: mean {gap.mean():.3f}, "
          f"quartiles {np.quantile(gap, 0.25):.3f} and {np.quantile(gap, 0.75):.3f}, "
          f"most {gap.max():.3f}; heuristic at least as good in {np.sum(gap <= 1e-9)}")  # fmt: skip
    handles = [
        style.plt.Line2D([], [], linestyle=dashes, color=("C0", "black")[index])
        for index, (_, dashes) in enumerate(SOLVERS.values())
    ]
    style.legend(fig, handles, list(SOLVERS))
    run = both[0][0]
    workloads = ", ".join(sorted({pair[0].workload for pair in both}))
    refused = sum(r.label == SOLVERS["exact"][0] and r.status != "ok" for r in runs)
    notes = [f"{len(both)} packs of {workloads}", f"{run.tokens} tokens", f"{run.ranks} ranks"]
    style.footer(fig, [*notes, f"no proof for {refused} more"] if refused else notes)
    return fig, [r for pair in both for r in pair]
