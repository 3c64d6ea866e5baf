"""Flexible CP: degrees of the groups of one micro-batch on 32 ranks, as in v1's two case studies.

A mix "8x1, 6x2" is one group of 8 ranks and two of 6. Each bar is one micro-batch; its parts are
groups, as wide as their ranks. Speed-up is over the best static ring of the same micro-batches.
"""

from collections import Counter

import style
from claims import Claim, closeness
from error_tables import markdown
from flexcp import FLEXIBLE, MEGATRON, arm_of, arms
from published import Row, read_published, read_runs
from results import load_runs

TITLE = "Flexible CP: degrees of groups"
STANDS_FOR = {"longalign": "OpenVid"}  # else MSRVTT


def mix_of(path):
    """{degree: groups} of the first pack: the ranks that own tokens of a document are its group."""
    run = load_runs(path)[0]
    owners, start = set(), 0
    homes = run.plan().home
    for length in run.packs[0].document_lengths:
        end = start + length
        owners.add(
            tuple(r for r, home in enumerate(homes) if any(b < end and e > start for b, e in home))
        )
        start = end
    return Counter(len(ranks) for ranks in owners)


def text_of(mix):
    return ", ".join(f"{degree}x{mix[degree]}" for degree in sorted(mix, reverse=True))


def mix_from(text):
    return {int(d): int(n) for d, n in (part.split("x") for part in text.split(", "))}


def published():
    found = {}
    for row in read_published("flexcp_degrees"):
        mix, _ = found.setdefault(row["case"], ({}, float(row["speedup"])))
        mix[int(row["degree"])] = int(row["groups"])
    return found


def compare(folder):
    by = {}
    for run in read_runs(folder / "degrees.csv"):
        by.setdefault(run["workload"], {}).setdefault(int(run["seed"]), []).append(run)
    paper, rows = published(), []
    for workload, packs in by.items():
        case = STANDS_FOR.get(workload, "MSRVTT")
        mix, speedup = paper[case]
        static = arms([run for runs in packs.values() for run in runs])[MEGATRON][1]
        for seed, runs in sorted(packs.items()):
            flexible = next(run for run in runs if arm_of(run)[0] == FLEXIBLE)
            fixed = next(run for run in runs if arm_of(run) == (MEGATRON, static))
            group = (case, workload, f"micro-batch {seed}", text_of(mix),
                     text_of(mix_of(flexible["file"])), f"static {static}")  # fmt: skip
            ours = fixed["iteration_seconds"] / flexible["iteration_seconds"]
            rows.append(Row("ideal", group, FLEXIBLE, speedup, ours))
    return rows


def table(rows):
    heads = ("case", "here", "micro-batch", "published degrees", "ours", "best static degree",
             "published speed-up", "ours")  # fmt: skip
    return markdown(
        heads,
        [(r.group[0], r.group[1], r.group[2].split()[1], r.group[3], r.group[4],
          r.group[5].split()[1], r.published, f"{r.ours:.2f}") for r in rows]
    )  # fmt: skip


def draw(rows, notes):
    bars = []
    for case in dict.fromkeys(row.group[0] for row in rows):
        mine = [row for row in rows if row.group[0] == case]
        bars.append((f"{case}, published", mix_from(mine[0].group[3])))
        bars += [(f"{r.group[1].split(',')[0]} {r.group[2].split()[1]}", mix_from(r.group[4]))
                 for r in mine]  # fmt: skip
    fig, axes = style.figure("full", 0.25 * len(bars) + 0.8)
    for y, (_, mix) in enumerate(bars):
        left = 0
        for degree in sorted(mix, reverse=True):
            for _ in range(mix[degree]):
                axes.barh(y, degree, 0.7, left, facecolor=style.COLOURS[min(degree, 16) % 8],
                          edgecolor="black", linewidth=0.4)  # fmt: skip
                if degree > 1:
                    axes.text(left + degree / 2, y, str(degree), ha="center", va="center")
                left += degree
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlim(0, 32)
    axes.set_xlabel("ranks; each box is a group")
    style.footer(fig, ["32 Ascend 910B", "256K tokens per micro-batch", *notes])
    return fig


def claims(rows):
    """Means over the micro-batches of a case, with our documents in place of its own."""
    cases = {}
    for row in rows:
        key = (row.group[0], row.group[1], row.published)
        cases.setdefault(key, []).append(row.ours)
    return [
        Claim("degrees", f"speed-up over static degrees, case {case} (here {lengths})",
              f"{paper:.2f}", f"{sum(ours) / len(ours):.2f}",
              closeness(paper, sum(ours) / len(ours)))
        for (case, lengths, paper), ours in cases.items()
    ]  # fmt: skip
