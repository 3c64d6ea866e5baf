"""MagiAttention's benchmark of context parallelism: packs of causal documents on 8 H100."""

import magi
import whole_runs

TITLE = "MagiAttention: packs of causal documents on 8 H100"
table, closing, notes = whole_runs.table, whole_runs.closing, whole_runs.notes


def compare(folder):
    return magi.compare(folder, "varlen", "documents")


def draw(rows, parts):
    about = ["8 H100", "64K tokens", "64 query, 8 KV heads", "whiskers: extremes of 20 packs"]
    return whole_runs.draw(rows, parts, about)


def claims(rows):
    return whole_runs.claims("varlen", rows)
