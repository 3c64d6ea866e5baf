// Helps a strategy to write a plan: it interns sets, counts steps and sorts operations.
//
//   PlanBuilder b(problem);
//   b.home(rank, {{0, 128}});
//   PassBuilder& f = b.forward();
//   f.attend(0, rank, q, kv);
//   f.send(0, rank, next, Tensor::kv, tokens);
//   b.backward_by_return();  // or b.backward_travelling(), or write b.backward() by hand
//   return b.finish();
#pragma once

#include <utility>
#include <vector>

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
  SetId rank(int32_t rank) {
    SetId& id = rank_ids_[rank];
    if (id == RangeSets::kNone) id = plan_.rank_sets.intern(Range{rank, rank + 1});
    return id;
  }
  SetId all_ranks() { return plan_.rank_sets.intern(Range{0, plan_.ranks}); }
  const RangeSets& token_sets() const { return plan_.token_sets; }

  SetId home(int32_t rank, Ranges normal);  // returns the set's id
  SetId home_of(int32_t rank) const { return plan_.home[rank]; }
  PassBuilder forward() { return {*this, plan_.forward}; }
  PassBuilder backward() { return {*this, plan_.backward}; }
  void keep(int32_t rank, Tensor tensor, SetId tokens, Heads heads = {});  // Heads{}: all
  void gradient_wire(GradientWire wire) { plan_.gradient_wire = wire; }

  // Both builders below derive the backward pass from the forward pass, which must be complete, as
  // must the homes. They are for plans in which KV travels and queries stay at home. Which one is
  // right: backward_by_return where every rank sends only KV of its own home; backward_travelling
  // where KV is relayed (a rank passes on what it received) along one chain of single sends per
  // set. A relay that branches, such as a ring across nodes with an all-gather inside each node,
  // needs a backward pass written by hand.

  // Every dkv returns in one hop to the rank that its KV came from: a multicast becomes a
  // reduction, all_gather becomes reduce_scatter. The received KV is kept, or sent again.
  // Throws std::logic_error if a send relays KV: its gradient would end at the relay (P6).
  enum class ReceivedKv : uint8_t { kept, fetched_again };
  void backward_by_return(ReceivedKv received = ReceivedKv::kept);

  // KV is sent again as in the forward pass. Its dkv follows one step behind, and goes home from
  // the last rank of the chain.
  void backward_travelling();

  Plan finish();  // sorts operations into canonical order and counts the steps

 private:
  friend class PassBuilder;
  void refuse_relay(const Send& send) const;
  void keep_received(const Send& send);
  Plan plan_;
  std::vector<SetId> rank_ids_;  // of the sets of one rank, kNone until they are used
};

}  // namespace cpbench
