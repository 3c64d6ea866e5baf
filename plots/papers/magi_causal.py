"""MagiAttention's benchmark of context parallelism: one causal document on 8 H100."""

import magi
import whole_runs

TITLE = "MagiAttention: one causal document on 8 H100"
table, closing, notes = whole_runs.table, whole_runs.closing, whole_runs.notes


def compare(folder):
    return magi.compare(folder, "causal", "one document")


def draw(rows, parts):
    return whole_runs.draw(rows, parts, ["8 H100", "64K tokens", "64 query, 8 KV heads"])


def claims(rows):
    return whole_runs.claims("causal", rows)
