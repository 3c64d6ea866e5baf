// Problems and plans as JSON, for planners and training code in any language.
//
// A problem:
//   {"batch": {"document_lengths": [5, 3], "mask": "document_causal", "window": 0,
//              "cached_tokens": [], "parents": [], "rules": []},
//    "shape": {"query_heads": 8, "kv_heads": 8, "head_dim": 64, "value_head_dim": 64,
//              "dtype": "float32", "hidden_size": 0, "ffn_size": 0, "attention_sinks": false,
//              "latent_size": 0, "latent_rope_size": 0},
//    "cluster": {"name": "threads", "nodes": 1, "gpus_per_node": 2, "peak_flops_per_second": 0,
//                "memory_bytes": 0, "memory_bytes_per_second": 0,
//                "intra_node_bytes_per_second": 0, "inter_node_bytes_per_second": 0}}
//
// `parents` has the index of each document's parent, or -1; `rules` has [mask, window] of each
// document. Both may be empty (harness/plan/problem.h).
//
// A plan. Sets are lists of half-open ranges; each set is there once, the first one is empty, and
// operations refer to sets by their place in the list:
//   {"ranks": 2, "tokens": 8, "query_heads": 8, "gradient_wire": "model",
//    "token_sets": [[], [[0, 4]], [[4, 8]]],
//    "rank_sets": [[], [[0, 1]], [[1, 2]]],
//    "home": [1, 2],                             the token set of each rank
//    "forward": {"lookahead": 1,
//                "attends": [[0, 0, 1, 1, 0, 8]],           step, rank, q, kv, heads begin, end
//                "sends": [[0, 0, 1, 2, "kv", 1, 0, 8, -1]],  step, substage, from, to, tensor,
//                                                           tokens, heads begin, end, collective
//                "collectives": [["all_gather", 4]]},       kind, padded tokens
//    "backward": {...},
//    "keep": [[1, "kv", 1, 0, 8]]}               rank, tensor, tokens, heads begin, end
// Attends are sorted by (step, rank), sends by (step, substage). harness/plan/plan.h defines each
// of them. All keys are required, except cached_tokens (since schema 1.1.0), parents, rules,
// attention_sinks, latent_size and latent_rope_size (since 1.6.0), and others are not allowed.
//
// A plan file is {"kind": "cpbench plan", "schema_version": "1.1.0", "problem": ..., "plan": ...}.
// Every file of the same major version is read; keys that a newer minor version added are ignored.
#pragma once

#include <string>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct PlannedProblem {
  Problem problem;
  Plan plan;
};

std::string problem_json(const Problem& problem);
std::string plan_json(const Plan& plan);
std::string planned_problem_json(const PlannedProblem& planned);

// Throw UserError with the place in the document, like "plan.forward.sends[3][4] is "kvs"; must be
// one of q, kv, ...". Whether the plan is correct is for the checker to say.
Problem problem_from_json(const std::string& text);
Plan plan_from_json(const std::string& text);
PlannedProblem planned_problem_from_json(const std::string& text);

}  // namespace cpbench
