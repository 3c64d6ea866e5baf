#include "baselines/flexsp/program.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"

namespace cpbench::flexsp {
namespace {

// The program measures time in units of the start's time, so C is near 1 whatever the cluster.
class Model {
 public:
  Model(const std::vector<Bucket>& buckets, const Limits& limits, double unit_seconds,
        const GroupCost& cost)
      : buckets_(buckets) {
    int64_t sequences = 0;
    for (const Bucket& bucket : buckets) sequences += std::ssize(bucket.sequences);
    for (int32_t size : limits.sizes) {
      const int64_t most = std::min<int64_t>(limits.ranks / size, sequences);
      sizes_.insert(sizes_.end(), most, size);
    }
    slowest_ = program_.column({.cost = 1});
    for (size_t p = 0; p < sizes_.size(); ++p) {
      used_.push_back(program_.column({0, 1, 0, true}));
      for (const Bucket& bucket : buckets) {
        const auto most = static_cast<double>(bucket.sequences.size());
        taken_.push_back(program_.column({0, most, 0, true}));
      }
    }
    every_sequence_once();
    for (size_t p = 0; p < sizes_.size(); ++p) {
      within_capacity(p, static_cast<double>(sizes_[p] * limits.capacity));
      within_slowest(p, unit_seconds, cost);
      if (p > 0 && sizes_[p] == sizes_[p - 1]) {
        program_.row(0, kUnbounded, {{used_[p - 1], 1}, {used_[p], -1}});
      }
    }
    std::vector<std::pair<int, double>> row;
    for (size_t p = 0; p < sizes_.size(); ++p) row.emplace_back(used_[p], sizes_[p]);
    program_.row(-kUnbounded, limits.ranks, row);
  }

  const IntegerProgram& program() const { return program_; }
  int taken(size_t group, size_t bucket) const { return taken_[group * buckets_.size() + bucket]; }
  const std::vector<int32_t>& sizes() const { return sizes_; }

  // The values of the program's columns for known groups, each in the next free slot of its size.
  std::vector<double> columns_of(const SizedGroups& groups, const std::vector<int32_t>& bucket_of,
                                 double slowest) const {
    std::vector<double> values(program_.columns(), 0);
    std::vector<bool> filled(sizes_.size(), false);
    values[slowest_] = slowest;
    for (const SizedGroup& group : groups) {
      size_t p = 0;
      while (sizes_[p] != group.size || filled[p]) ++p;
      filled[p] = true;
      values[used_[p]] = 1;
      for (int32_t s : group.sequences) values[taken(p, bucket_of[s])] += 1;
    }
    return values;
  }

 private:
  void every_sequence_once() {
    for (size_t b = 0; b < buckets_.size(); ++b) {
      std::vector<std::pair<int, double>> row;
      for (size_t p = 0; p < sizes_.size(); ++p) row.emplace_back(taken(p, b), 1);
      const auto size = static_cast<double>(buckets_[b].sequences.size());
      program_.row(size, size, row);
    }
  }
  void within_capacity(size_t p, double tokens) {
    std::vector<std::pair<int, double>> row{{used_[p], -1}};
    for (size_t b = 0; b < buckets_.size(); ++b) {
      row.emplace_back(taken(p, b), static_cast<double>(buckets_[b].longest_tokens) / tokens);
    }
    program_.row(-kUnbounded, 0, row);
  }
  void within_slowest(size_t p, double unit_seconds, const GroupCost& cost) {
    const double latency = cost.all_to_all_seconds({}, sizes_[p]);
    std::vector<std::pair<int, double>> row{{slowest_, -1}, {used_[p], latency / unit_seconds}};
    for (size_t b = 0; b < buckets_.size(); ++b) {
      const double all = cost.all_to_all_seconds(buckets_[b].total, sizes_[p]) - latency;
      const auto count = static_cast<double>(buckets_[b].sequences.size());
      row.emplace_back(taken(p, b), all / count / unit_seconds);
    }
    program_.row(-kUnbounded, 0, row);
  }

  const std::vector<Bucket>& buckets_;
  IntegerProgram program_;
  std::vector<int32_t> sizes_;  // of all groups that may exist
  int slowest_ = 0;
  std::vector<int> used_, taken_;
};

}  // namespace

ProgramResult group_by_program(const Loads& loads, const Items& items, const Limits& limits,
                               const std::vector<Bucket>& all_buckets, const SizedGroups& start,
                               const SearchLimits& search, const GroupCost& cost) {
  if (limits.ranks == 1) return {start, true};
  // The buckets of this micro-batch.
  std::vector<bool> here(loads.size(), false);
  for (int32_t item : items) here[item] = true;
  std::vector<Bucket> buckets;
  std::vector<int32_t> bucket_of(loads.size(), -1);
  for (const Bucket& bucket : all_buckets) {
    Bucket part{.sequences = {}, .longest_tokens = bucket.longest_tokens, .total = {}};
    for (int32_t s : bucket.sequences) {
      if (!here[s]) continue;
      part.sequences.push_back(s);
      part.total += loads[s];
      bucket_of[s] = static_cast<int32_t>(buckets.size());
    }
    if (!part.sequences.empty()) buckets.push_back(std::move(part));
  }

  const double unit_seconds = slowest_seconds(start, cost);
  const Model model(buckets, limits, unit_seconds, cost);
  std::vector<double> solution;
  const auto outcome =
      model.program().solve(search, solution, model.columns_of(start, bucket_of, 1));
  if (solution.empty()) {
    throw Unsupported(
        "solver=program found no groups within nodes=" + std::to_string(search.nodes) +
        " and seconds=" + seconds_text(search.seconds) + "; raise them or use solver=heuristic");
  }

  // Counts become sequences: of each bucket the longest first, to the group with the least work so
  // far among those that take more of it.
  ProgramResult result;
  result.proven = outcome == IntegerProgram::Outcome::optimal;
  for (int32_t size : model.sizes()) {
    result.groups.push_back({.size = size, .sequences = {}, .load = {}});
  }
  for (size_t b = 0; b < buckets.size(); ++b) {
    std::vector<int64_t> left;
    for (size_t p = 0; p < result.groups.size(); ++p) {
      left.push_back(std::llround(solution[model.taken(p, b)]));
    }
    for (int32_t s : buckets[b].sequences) {
      size_t best = left.size();
      for (size_t p = 0; p < left.size(); ++p) {
        if (left[p] == 0) continue;
        if (best == left.size() ||
            seconds_of(result.groups[p], cost) < seconds_of(result.groups[best], cost)) {
          best = p;
        }
      }
      --left.at(best);
      result.groups[best].sequences.push_back(s);
      result.groups[best].load += loads[s];
    }
  }
  std::erase_if(result.groups, [](const SizedGroup& group) { return group.sequences.empty(); });
  return result;
}

}  // namespace cpbench::flexsp
