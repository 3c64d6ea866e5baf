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
