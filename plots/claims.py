"""What a paper claims, next to what our runs show: <output>/claims.csv and its table.

    python3 plots/claims.py METHOD=DIR...    # one table of the claims of several methods

A figure's module may have `claims(rows)`, which returns a list of Claim.
"""

import csv
import sys
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from error_tables import markdown


@dataclass(frozen=True)
class Claim:
    figure: str  # "fig11"
    claim: str  # in words
    published: str
    ours: str
    holds: str  # "yes", "more" (better than published by more than a tolerance), "partly" or "no"


HEADS = tuple(field.name for field in fields(Claim))


def yes(holds):
    return "yes" if holds else "no"


def closeness(published, ours, tolerance=0.1):
    """Of a speed-up: "yes" within the tolerance, "more" above it, "partly" if it is one at all."""
    if abs(ours - published) <= tolerance * published:
        return "yes"
    if ours > published:
        return "more"
    return "partly" if ours > 1 else "no"


def read(path):
    """The claims of a file; none if it does not exist."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [Claim(**row) for row in csv.DictReader(file)]


def headline(method, path):
    """How many claims hold, in one line; nothing without claims."""
    verdicts = [claim.holds for claim in read(path)]
    if not verdicts:
        return ""
    words = {"more": "exceeded", "partly": "partly"}
    others = [(verdicts.count(verdict), text) for verdict, text in words.items()]
    return (f"{method}: {verdicts.count('yes')} of {len(verdicts)} claims hold"
            + "".join(f", {count} {text}" for count, text in others if count))  # fmt: skip


def write(path, claims, drawn):
    """Replaces the claims of the figures that were drawn, and returns all as Markdown."""
    kept = [claim for claim in read(path) if claim.figure not in drawn]
    every = sorted(claims + kept, key=lambda claim: (claim.figure != "abstract", claim.figure))
    if not every:
        return ""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        writer.writerows(astuple(claim) for claim in every)
    return markdown(HEADS, [astuple(claim) for claim in every])


def of_all(folders):
    """The claims of several methods as one table, and for each method how many hold.

    folders: {method: the folder of its claims.csv}.
    """
    files = {method: Path(folder) / "claims.csv" for method, folder in folders.items()}
    rows = [(method, *astuple(claim)) for method, path in files.items() for claim in read(path)]
    lines = [line for method, path in files.items() if (line := headline(method, path))]
    return f"## Claims\n\n{markdown(('paper', *HEADS), rows)}\n\n" + "\n".join(lines)


if __name__ == "__main__":
    print(of_all(dict(word.split("=", 1) for word in sys.argv[1:])))
