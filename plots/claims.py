"""What a paper claims, next to what our runs show: <output>/claims.csv and its table.

A figure's module may have `claims(rows)`, which returns a list of Claim.
"""

import csv
from dataclasses import astuple, dataclass, fields

from error_tables import markdown


@dataclass(frozen=True)
class Claim:
    figure: str  # "fig11"
    claim: str  # in words
    published: str
    ours: str
    holds: str  # "yes", "no" or "partly"


HEADS = tuple(field.name for field in fields(Claim))


def yes(holds):
    return "yes" if holds else "no"


def closeness(published, ours, tolerance=0.1):
    """Of a speed-up: "yes" within the tolerance or better, "partly" if it is one at all."""
    if ours >= (1 - tolerance) * published:
        return "yes"
    return "partly" if ours > 1 else "no"


def headline(method, path):
    """How many claims hold, in one line; nothing without claims."""
    if not path.exists():
        return ""
    with path.open(newline="") as file:
        verdicts = [row["holds"] for row in csv.DictReader(file)]
    partly = verdicts.count("partly")
    return (f"{method}: {verdicts.count('yes')} of {len(verdicts)} claims hold"
            + (f", {partly} partly" if partly else ""))  # fmt: skip


def write(path, claims, drawn):
    """Replaces the claims of the figures that were drawn, and returns all as Markdown."""
    kept = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [Claim(**row) for row in csv.DictReader(file) if row["figure"] not in drawn]
    every = sorted(claims + kept, key=lambda claim: (claim.figure != "abstract", claim.figure))
    if not every:
        return ""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        writer.writerows(astuple(claim) for claim in every)
    return markdown(HEADS, [astuple(claim) for claim in every])
