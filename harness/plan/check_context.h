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
  Context(const Problem& problem, const Plan& plan, const Deadline& deadline)
      : problem(problem),
        plan(plan),
        deadline(deadline),
        mask(problem.batch),
        unions(plan.token_sets) {}

  void require_time() const { deadline.require("the check of the plan"); }

  void violation(const std::string& rule, const std::string& where, const std::string& expected,
                 const std::string& found) {
    if (++counts[rule] <= kPerRule) violations.push_back({rule, where, expected, found});
  }
  const Pass& pass(PassKind kind) const {
    return kind == PassKind::forward ? plan.forward : plan.backward;
  }
  RangeSpan tokens(SetId id) const { return plan.token_sets[id]; }

  static constexpr int kPerRule = 8;  // enough to see a pattern, few enough to read
  const Problem& problem;
  const Plan& plan;
  const Deadline& deadline;
  MaskIndex mask;
  SetUnions unions;
  std::set<std::vector<std::pair<SetId, SetId>>> covered;  // lists of (q, kv) for which P3 holds
  // Sets that P4 found in the union of other sets: {set, home and others, ascending}. The ranks of
  // one group read the same sets and hold the same ones besides their homes.
  std::set<std::vector<SetId>> found_in;
  std::map<std::string, int> counts;
  std::vector<Violation> violations;
};

int32_t head_count(Tensor tensor, const AttentionShape& shape);
int64_t stored_bytes_per_head(Tensor tensor, const AttentionShape& shape);  // of one token

std::string place(PassKind pass, int32_t step, int32_t rank);  // "forward step 2 rank 5"
std::string set_text(RangeSpan ranges);                        // "[0, 4) and 3 more ranges"
std::string heads_text(Heads heads);                           // "heads [0, 8)"

// The finest intervals of heads that the added ranges divide the heads into, ascending.
class HeadIntervals {
 public:
  explicit HeadIntervals(int32_t heads) : bounds_{0, heads} {}
  void add(Heads heads) {
    if (heads == last_) return;  // in most plans all are identical
    last_ = heads;
    bounds_.insert({heads.begin, heads.end});
  }
  std::vector<Heads> list() const;

 private:
  std::set<int32_t> bounds_;
  Heads last_;
};

// The operations of one pass that a rank takes part in, as indices into the pass.
struct RankOperations {
  std::vector<int32_t> attends;
  std::vector<int32_t> sends_out;  // this rank sends to others
  std::vector<int32_t> sends_in;   // this rank receives from others
};
std::vector<RankOperations> operations_by_rank(const Plan& plan, const Pass& pass);

// The token sets of all sends of `tensor`, without the empty ones.
std::vector<SetId> sent_sets(const Pass& pass, Tensor tensor);

// The bytes that one rank uses in each step of both passes. Its size is that of what is added.
class MemoryTally {
 public:
  explicit MemoryTally(int32_t steps) : steps_(steps) {}
  void add(int32_t first_step, int32_t last_step, int64_t bytes);  // both inclusive, clamped
  int64_t peak() const;

 private:
  int32_t steps_;
  std::vector<std::pair<int32_t, int64_t>> changes_;  // by how much the bytes change at a step
};

bool check_structure(Context& context, Passes passes);  // P1, P2, P9
void check_coverage(Context& context, PassKind pass);   // P3
// P4, P7, P8. Adds the memory of copies to `tallies`, one per rank.
void check_presence(Context& context, PassKind pass, Passes passes,
                    const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies);
// P5, P6. Adds the memory of partials away from home to `tallies`.
void check_partials(Context& context, PassKind pass, const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies);

}  // namespace cpbench::checker
