// The data that `cpbench workload` shows: the lengths of a workload, and the packs made of them.
//
//   WorkloadReport report = summarize(*find_workload("pile"), {.tokens = 131072, .packs = 4});
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/workload.h"

namespace cpbench {

// Lengths in [low, 2 low), where low is a power of two.
struct LengthBin {
  int64_t low = 1;
  int64_t documents = 0;
  int64_t tokens = 0;
};

struct LengthQuantile {
  double share = 0;    // of the documents
  int64_t length = 0;  // the smallest length that at least this share of documents does not exceed
};

struct LengthSummary {
  int64_t documents = 0;
  int64_t tokens = 0;
  int64_t shortest = 0;
  int64_t longest = 0;
  double mean = 0;
  std::vector<LengthQuantile> quantiles;  // 0.01 0.05 0.1 0.25 0.5 0.75 0.9 0.95 0.99 0.999
  std::vector<LengthBin> bins;            // from the shortest to the longest length, without gaps
};

struct PackSummary {
  int64_t tokens = 0;
  int64_t documents = 0;
  int64_t longest = 0;         // document, tokens
  int64_t sum_of_squares = 0;  // of the document lengths
  int64_t causal_pairs = 0;  // (query, key) pairs of document-causal attention, d (d + 1) / 2 each
};

struct WorkloadReport {
  LengthSummary lengths;  // before packing cuts any
  std::vector<PackSummary> packs;
};

LengthSummary summarize_lengths(std::vector<int64_t> lengths);  // not empty
PackSummary summarize_pack(const Batch& pack);

// The summary of lengths is of `sampled_documents` lengths, drawn with the seed of the packs.
WorkloadReport summarize(const Workload& workload, const PackingOptions& options,
                         int64_t sampled_documents = 100000);

}  // namespace cpbench
