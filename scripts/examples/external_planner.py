#!/usr/bin/env python3
"""A planner outside cpbench: contiguous shares of the tokens, and an all-gather of K and V.

    cpbench run --strategy exec:scripts/examples/external_planner.py --workload pile ...

It reads the problem as JSON from standard input and writes the plan as JSON to standard output;
harness/store/plan_json.h documents both. Exit code 77 says that it does not support the problem.
"""

import json
import sys

problem = json.load(sys.stdin)
tokens = sum(problem["batch"]["document_lengths"])
ranks = problem["cluster"]["nodes"] * problem["cluster"]["gpus_per_node"]
heads = problem["shape"]["query_heads"]
sets = {"tokens": [[]], "ranks": [[]]}


def intern(kind, begin, end):
    """The index of the set [begin, end); every set is listed once, the empty one first."""
    ranges = [[begin, end]] if begin < end else []
    if ranges not in sets[kind]:
        sets[kind].append(ranges)
    return sets[kind].index(ranges)


share = -(-tokens // ranks)
home = [
    intern("tokens", min(r * share, tokens), min((r + 1) * share, tokens)) for r in range(ranks)
]
busy = sum(h != 0 for h in home)  # ranks that have tokens; they come first
each = [intern("ranks", r, r + 1) for r in range(busy)]
everyone, everything = intern("ranks", 0, busy), intern("tokens", 0, tokens)
group = range(busy) if busy > 1 else []  # a single rank has nothing to gather

# Step 0 gathers all keys, step 1 attends them.
gather = [[0, 0, each[r], everyone, "kv", home[r], 0, heads, 0] for r in group]
attend = [[1, r, home[r], everything, 0, heads] for r in range(busy)]
forward = {
    "lookahead": 1,
    "attends": attend,
    "sends": gather,
    "collectives": [["all_gather", share]] if group else [],
}
# The keys were kept, so step 0 attends them; step 1 sums the gradients at their homes.
reduce = [[1, 0, everyone, each[r], "dkv", home[r], 0, heads, 0] for r in group]
backward = {
    "lookahead": 1,
    "attends": [[0, *row[1:]] for row in attend],
    "sends": reduce,
    "collectives": [["reduce_scatter", share]] if group else [],
}
keep = [[r, "kv", home[s], 0, heads] for r in group for s in group if s != r]

json.dump(
    {
        "ranks": ranks,
        "tokens": tokens,
        "query_heads": heads,
        "gradient_wire": "model",
        "token_sets": sets["tokens"],
        "rank_sets": sets["ranks"],
        "home": home,
        "forward": forward,
        "backward": backward,
        "keep": keep,
    },
    sys.stdout,
)
