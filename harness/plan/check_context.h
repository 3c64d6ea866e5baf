// What the parts of the checker share. Private to harness/plan.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"
#include "harness/plan/set_family.h"
#include "harness/plan/set_unions.h"

namespace cpbench::checker {

enum class PassKind : uint8_t { forward, backward };

struct Context {
  Context(const Problem& problem, const Plan& plan)
      : problem(problem), plan(plan), mask(problem.batch), unions(plan.token_sets) {}

  void violation(const std::string& rule, const std::string& where, const std::string& expected,
                 const std::string& found) {
    if (++counts[rule] <= kPerRule) violations.push_back({rule, where, expected, found});
  }
  const Pass& pass(PassKind kind) const {
    return kind == PassKind::forward ? plan.forward : plan.backward;
  }
  RangeSpan tokens(SetId id) const { return plan.token_sets[id]; }

  static constexpr int kPerRule = 8;  // enough to see the pattern, few enough to read
  const Problem& problem;
  const Plan& plan;
  MaskIndex mask;
  SetUnions unions;
  std::set<std::vector<std::pair<SetId, SetId>>> covered;  // lists of (q, kv) that P3 holds for
  // Sets that P4 found in the union of others, the home among them: {set, others, ascending}. Ranks
  // of one group read the same sets and hold the same ones between home and arrivals.
  std::set<std::vector<SetId>> found_in;
  std::map<std::string, int> counts;
  std::vector<Violation> violations;
};

// Head units of a tensor: KV heads for kv and dkv, query heads for the others.
inline bool counts_kv_heads(Tensor t) { return t == Tensor::kv || t == Tensor::dkv; }
Heads unit_heads(Tensor tensor, Heads query_heads, const AttentionShape& shape);
int32_t unit_head_count(Tensor tensor, const AttentionShape& shape);
int64_t stored_bytes_per_unit(Tensor tensor, const AttentionShape& shape);  // one token, one head

std::string place(PassKind pass, int32_t step, int32_t rank);  // "forward step 2 rank 5"
std::string set_text(RangeSpan ranges);                        // "[0, 4) and 3 more ranges"
std::string heads_text(Heads heads);                           // "heads [0, 8)"

// The finest head intervals that the added ones tell apart, ascending.
class HeadIntervals {
 public:
  explicit HeadIntervals(int32_t heads) : bounds_{0, heads} {}
  void add(Heads heads) {
    if (heads == last_) return;  // mostly all are alike
    last_ = heads;
    bounds_.insert({heads.begin, heads.end});
  }
  std::vector<Heads> list() const;

 private:
  std::set<int32_t> bounds_;
  Heads last_;
};

// Per rank: which operations of one pass it takes part in, as indices into the pass.
struct RankOperations {
  std::vector<int32_t> attends;
  std::vector<int32_t> sends_out;  // this rank sends to others
  std::vector<int32_t> sends_in;   // this rank receives from others
};
std::vector<RankOperations> operations_by_rank(const Plan& plan, const Pass& pass);

// Bytes in use per step of both passes, one rank.
class MemoryTally {
 public:
  explicit MemoryTally(int32_t steps) : change_(steps + 1, 0) {}
  void add(int32_t first_step, int32_t last_step, int64_t bytes);  // both included, clamped
  int64_t peak() const;

 private:
  std::vector<int64_t> change_;
};

bool check_structure(Context& context, Passes passes);  // P1, P2, P9
void check_coverage(Context& context, PassKind pass);   // P3
// P4, P7, P8. `tallies`, one per rank, receive what copies occupy.
void check_presence(Context& context, PassKind pass, Passes passes,
                    const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies);
// P5, P6. `tallies` receive what partials occupy away from home.
void check_partials(Context& context, PassKind pass, const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies);

}  // namespace cpbench::checker
