#include "harness/plan/check_context.h"

#include <algorithm>

namespace cpbench::checker {

int32_t head_count(Tensor tensor, const AttentionShape& shape) {
  return has_kv_heads(tensor) ? shape.kv_heads : shape.query_heads;
}

int64_t stored_bytes_per_head(Tensor tensor, const AttentionShape& shape) {
  int32_t query_heads = has_kv_heads(tensor) ? shape.query_heads / shape.kv_heads : 1;
  return stored_bytes_per_token(tensor, {0, query_heads}, shape);
}

std::string place(PassKind pass, int32_t step, int32_t rank) {
  return std::string(pass == PassKind::forward ? "forward" : "backward") + " step " +
         std::to_string(step) + " rank " + std::to_string(rank);
}

std::string set_text(RangeSpan ranges) {
  if (ranges.empty()) return "no tokens";
  std::string text =
      "[" + std::to_string(ranges[0].begin) + ", " + std::to_string(ranges[0].end) + ")";
  if (ranges.size() > 1) text += " and " + std::to_string(ranges.size() - 1) + " more ranges";
  return text;
}

std::string heads_text(Heads heads) {
  return "heads [" + std::to_string(heads.begin) + ", " + std::to_string(heads.end) + ")";
}

std::vector<Heads> HeadIntervals::list() const {
  std::vector<Heads> list;
  for (auto it = bounds_.begin(); std::next(it) != bounds_.end(); ++it) {
    list.push_back({*it, *std::next(it)});
  }
  return list;
}

std::vector<RankOperations> operations_by_rank(const Plan& plan, const Pass& pass) {
  std::vector<RankOperations> by_rank(plan.ranks);
  for (size_t i = 0; i < pass.attends.size(); ++i) {
    by_rank[pass.attends[i].rank].attends.push_back(static_cast<int32_t>(i));
  }
  for (size_t i = 0; i < pass.sends.size(); ++i) {
    int32_t index = static_cast<int32_t>(i);
    RangeSpan from = plan.rank_sets[pass.sends[i].from];
    RangeSpan to = plan.rank_sets[pass.sends[i].to];
    // A rank takes part unless the far side is only the rank itself.
    auto visit = [&](RangeSpan side, RangeSpan far, std::vector<int32_t> RankOperations::*list) {
      for_each_member(side, [&](int64_t rank) {
        bool self = contains(far, Range{rank, rank + 1});
        if (!self || size_of(far) > 1) (by_rank[rank].*list).push_back(index);
      });
    };
    visit(from, to, &RankOperations::sends_out);
    visit(to, from, &RankOperations::sends_in);
  }
  return by_rank;
}

std::vector<SetId> sent_sets(const Pass& pass, Tensor tensor) {
  std::vector<SetId> sets;
  for (const Send& s : pass.sends) {
    if (s.tensor == tensor && s.tokens != RangeSets::kEmpty) sets.push_back(s.tokens);
  }
  return sets;
}

void MemoryTally::add(int32_t first_step, int32_t last_step, int64_t bytes) {
  if (steps_ == 0) return;
  first_step = std::clamp(first_step, 0, steps_ - 1);
  last_step = std::clamp(last_step, first_step, steps_ - 1);
  changes_.emplace_back(first_step, bytes);
  changes_.emplace_back(last_step + 1, -bytes);
}

int64_t MemoryTally::peak() const {
  std::vector<std::pair<int32_t, int64_t>> changes = changes_;
  std::sort(changes.begin(), changes.end());  // of one step, what is freed comes first
  int64_t bytes = 0, peak = 0;
  for (const auto& [step, change] : changes) peak = std::max(peak, bytes += change);
  return peak;
}

}  // namespace cpbench::checker
