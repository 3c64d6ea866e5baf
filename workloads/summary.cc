#include "workloads/summary.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace cpbench {

LengthSummary summarize_lengths(std::vector<int64_t> lengths) {
  std::sort(lengths.begin(), lengths.end());
  LengthSummary summary;
  summary.documents = static_cast<int64_t>(lengths.size());
  summary.shortest = lengths.front();
  summary.longest = lengths.back();
  int64_t top = std::bit_floor(static_cast<uint64_t>(summary.longest));
  for (int64_t low = std::bit_floor(static_cast<uint64_t>(summary.shortest)); low <= top;
       low *= 2) {
    summary.bins.push_back({.low = low});
  }
  size_t bin = 0;
  for (int64_t length : lengths) {
    while (length >= 2 * summary.bins[bin].low) ++bin;
    ++summary.bins[bin].documents;
    summary.bins[bin].tokens += length;
    summary.tokens += length;
  }
  summary.mean = static_cast<double>(summary.tokens) / static_cast<double>(summary.documents);
  for (double share : {0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999}) {
    double rank = std::ceil(share * static_cast<double>(summary.documents));
    summary.quantiles.push_back({share, lengths[static_cast<size_t>(rank) - 1]});
  }
  return summary;
}

PackSummary summarize_pack(const Batch& pack) {
  PackSummary summary;
  summary.documents = static_cast<int64_t>(pack.document_lengths.size());
  for (int64_t length : pack.document_lengths) {
    summary.tokens += length;
    summary.longest = std::max(summary.longest, length);
    summary.sum_of_squares += length * length;
    summary.causal_pairs += length * (length + 1) / 2;
  }
  return summary;
}

WorkloadReport summarize(const Workload& workload, const PackingOptions& options,
                         int64_t sampled_documents) {
  WorkloadReport report;
  for (const Batch& pack : make_packs(workload, options)) {
    report.packs.push_back(summarize_pack(pack));
  }
  auto stream = workload.stream(options.seed);
  std::vector<int64_t> lengths(sampled_documents);
  std::generate(lengths.begin(), lengths.end(), [&] { return stream->next(); });
  report.lengths = summarize_lengths(std::move(lengths));
  return report;
}

}  // namespace cpbench
