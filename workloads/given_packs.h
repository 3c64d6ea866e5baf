// Workloads that give whole packs, document by document, and not only lengths: zero-length
// documents, pad slots, and documents that see others.
//
//   docs:37,51,pad=8,0,40                  these documents, literally; 8 tokens of padding, and a
//                                          placeholder without tokens
//   tree:prompt=2K,completions=8,length=1K  a prompt and its completions, each of which sees the
//                                          prompt and itself
//   pack.json                              a list of documents, of which only length is required:
//     [{"length": 2048},
//      {"length": 512, "parent": 0, "rule": "chunked:256", "cached": 100},
//      {"length": 8, "rule": "pad"}]
#pragma once

#include <optional>
#include <string>

#include "harness/plan/problem.h"
#include "workloads/workload.h"

namespace cpbench {

// The workload that the text names, if it is one of these. Throws UserError with what is wrong in
// the text or in the file.
std::unique_ptr<Workload> find_given_pack(const std::string& text);

WorkloadSummary tree_summary();  // for the list of workloads

}  // namespace cpbench
