// Helps a strategy write a plan: interning, step counting, canonical order.
//
//   PlanBuilder b(problem);
//   b.home(rank, {{0, 128}});
//   PassBuilder& f = b.forward();
//   f.attend(0, rank, q, kv);
//   f.send(0, rank, next, Tensor::kv, tokens);
//   b.backward_by_return();          // or backward_travelling(), or write b.backward() by hand
//   return b.finish();
#pragma once

#include <utility>

#include "harness/plan/plan.h"

namespace cpbench {

class PlanBuilder;

class PassBuilder {
 public:
  // A default Heads{} means all query heads.
  void attend(int32_t step, int32_t rank, SetId q, SetId kv, Heads heads = {});
  void send(int32_t step, int32_t from, int32_t to, Tensor tensor, SetId tokens, Heads heads = {},
            int32_t substage = 0);
  void multicast(int32_t step, int32_t from, SetId to_ranks, Tensor tensor, SetId tokens,
                 Heads heads = {}, int32_t collective = -1, int32_t substage = 0);
  void reduce(int32_t step, SetId from_ranks, int32_t to, Tensor tensor, SetId tokens,
              Heads heads = {}, int32_t collective = -1, int32_t substage = 0);
  // A tagged point-to-point send of an all_to_all.
  void exchange(int32_t step, int32_t from, int32_t to, Tensor tensor, SetId tokens, Heads heads,
                int32_t collective, int32_t substage = 0);
  int32_t collective(CollectiveKind kind, int64_t padded_tokens);
  void lookahead(int32_t steps) { pass_.lookahead = steps; }

 private:
  friend class PlanBuilder;
  PassBuilder(PlanBuilder& plan, Pass& pass) : plan_(plan), pass_(pass) {}
  Heads resolve(Heads heads) const;
  PlanBuilder& plan_;
  Pass& pass_;
};

class PlanBuilder {
 public:
  explicit PlanBuilder(const Problem& problem);

  SetId tokens(Ranges normal) { return plan_.token_sets.intern(std::move(normal)); }
  SetId tokens(Range range) { return plan_.token_sets.intern(range); }
  SetId ranks(Ranges normal) { return plan_.rank_sets.intern(std::move(normal)); }
  SetId rank(int32_t rank) { return plan_.rank_sets.intern(Range{rank, rank + 1}); }
  SetId all_ranks() { return plan_.rank_sets.intern(Range{0, plan_.ranks}); }
  const RangeSets& token_sets() const { return plan_.token_sets; }

  SetId home(int32_t rank, Ranges normal);  // returns the set's name
  SetId home_of(int32_t rank) const { return plan_.home[rank]; }
  PassBuilder forward() { return {*this, plan_.forward}; }
  PassBuilder backward() { return {*this, plan_.backward}; }
  void keep(int32_t rank, Tensor tensor, SetId tokens, Heads heads = {});  // Heads{}: all
  void gradient_wire(GradientWire wire) { plan_.gradient_wire = wire; }

  // Backward from forward, for plans in which KV travels and queries stay at home.
  // By return: every dkv goes straight back to the rank its KV came from (a multicast becomes a
  // reduction, all_gather becomes reduce_scatter). The received KV is kept, or fetched again.
  enum class ReceivedKv : uint8_t { kept, fetched_again };
  void backward_by_return(ReceivedKv received = ReceivedKv::kept);
  // Travelling: KV is sent again as in the forward pass, dkv one step behind it, and from the
  // last holder home. For plans in which each KV set moves along one chain of single sends.
  void backward_travelling();

  Plan finish();  // sorts into canonical order, counts steps

 private:
  friend class PassBuilder;
  void keep_received(const Send& send);
  Plan plan_;
};

}  // namespace cpbench
