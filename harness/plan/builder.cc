#include "harness/plan/builder.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>

namespace cpbench {

Heads PassBuilder::resolve(Heads heads) const {
  return heads == Heads{} ? Heads{0, plan_.plan_.query_heads} : heads;
}

void PassBuilder::attend(int32_t step, int32_t rank, SetId q, SetId kv, Heads heads) {
  if (q == RangeSets::kEmpty || kv == RangeSets::kEmpty) return;
  pass_.attends.push_back({step, rank, q, kv, resolve(heads)});
}

void PassBuilder::send(int32_t step, int32_t from, int32_t to, Tensor tensor, SetId tokens,
                       Heads heads, int32_t substage) {
  if (from == to || tokens == RangeSets::kEmpty) return;
  pass_.sends.push_back(
      {step, substage, plan_.rank(from), plan_.rank(to), tensor, tokens, resolve(heads), -1});
}

void PassBuilder::multicast(int32_t step, int32_t from, SetId to_ranks, Tensor tensor, SetId tokens,
                            Heads heads, int32_t collective, int32_t substage) {
  if (collective < 0 && tokens == RangeSets::kEmpty) return;
  pass_.sends.push_back(
      {step, substage, plan_.rank(from), to_ranks, tensor, tokens, resolve(heads), collective});
}

void PassBuilder::reduce(int32_t step, SetId from_ranks, int32_t to, Tensor tensor, SetId tokens,
                         Heads heads, int32_t collective, int32_t substage) {
  if (collective < 0 && tokens == RangeSets::kEmpty) return;
  pass_.sends.push_back(
      {step, substage, from_ranks, plan_.rank(to), tensor, tokens, resolve(heads), collective});
}

void PassBuilder::exchange(int32_t step, int32_t from, int32_t to, Tensor tensor, SetId tokens,
                           Heads heads, int32_t collective, int32_t substage) {
  if (from == to) return;
  pass_.sends.push_back({step, substage, plan_.rank(from), plan_.rank(to), tensor, tokens,
                         resolve(heads), collective});
}

int32_t PassBuilder::collective(CollectiveKind kind, int64_t padded_tokens) {
  pass_.collectives.push_back({kind, padded_tokens});
  return static_cast<int32_t>(pass_.collectives.size()) - 1;
}

PlanBuilder::PlanBuilder(const Problem& problem) {
  plan_.ranks = problem.ranks();
  plan_.tokens = problem.tokens();
  plan_.query_heads = problem.shape.query_heads;
  plan_.home.assign(plan_.ranks, RangeSets::kEmpty);
  rank_ids_.assign(plan_.ranks, RangeSets::kNone);
}

SetId PlanBuilder::home(int32_t rank, Ranges normal) {
  return plan_.home[rank] = tokens(std::move(normal));
}

void PlanBuilder::keep(int32_t rank, Tensor tensor, SetId tokens, Heads heads) {
  if (tokens == RangeSets::kEmpty) return;
  if (heads == Heads{}) heads = {0, plan_.query_heads};
  plan_.keep.push_back({rank, tensor, tokens, heads});
}

void PlanBuilder::backward_by_return(ReceivedKv received) {
  const Pass& forward = plan_.forward;
  Pass& backward = plan_.backward;
  backward = {};
  backward.lookahead = forward.lookahead;
  int32_t first_attend = forward.attends.empty() ? 0 : forward.attends.front().step;
  int32_t return_step = 0;
  for (const Attend& a : forward.attends) {
    first_attend = std::min(first_attend, a.step);
    return_step = std::max(return_step, a.step + 1);
  }
  bool kept = received == ReceivedKv::kept;
  int32_t shift = kept ? first_attend : 0;
  return_step -= shift;
  backward.attends = forward.attends;
  for (Attend& a : backward.attends) a.step -= shift;
  if (!kept) {
    backward.sends = forward.sends;
    backward.collectives = forward.collectives;
  }
  int32_t first_collective = static_cast<int32_t>(backward.collectives.size());
  for (const Collective& c : forward.collectives) {
    backward.collectives.push_back({CollectiveKind::reduce_scatter, c.padded_tokens});
  }
  for (const Send& s : forward.sends) {
    refuse_relay(s);
    if (kept) keep_received(s);
    int32_t collective = s.collective < 0 ? -1 : first_collective + s.collective;
    backward.sends.push_back(
        {return_step, s.substage, s.to, s.from, Tensor::dkv, s.tokens, s.heads, collective});
  }
}

void PlanBuilder::refuse_relay(const Send& send) const {
  const int64_t sender = plan_.rank_sets[send.from].front().begin;
  const SetId home = plan_.home[sender];
  if (send.tokens == home || contains_all(plan_.token_sets[home], plan_.token_sets[send.tokens])) {
    return;
  }
  throw std::logic_error("backward_by_return: rank " + std::to_string(sender) +
                         " sends KV in step " + std::to_string(send.step) +
                         " that is not of its home; gradients of relayed KV need "
                         "backward_travelling or a backward pass written by hand");
}

void PlanBuilder::keep_received(const Send& send) {
  int64_t owner = plan_.rank_sets[send.from].front().begin;
  for (const Range& r : plan_.rank_sets[send.to]) {
    for (int64_t rank = r.begin; rank < r.end; ++rank) {
      if (rank != owner) keep(static_cast<int32_t>(rank), send.tensor, send.tokens, send.heads);
    }
  }
}

void PlanBuilder::backward_travelling() {
  const Pass& forward = plan_.forward;
  Pass& backward = plan_.backward;
  backward = {};
  backward.attends = forward.attends;
  // One chain per (token set, heads): the hops of its KV in order of step. The gradient follows one
  // step behind each hop, when the sender has attended, and goes home from the last rank.
  std::map<std::tuple<SetId, int32_t, int32_t>, std::vector<Send>> chains;
  for (const Send& s : forward.sends) {
    backward.sends.push_back(s);
    chains[{s.tokens, s.heads.begin, s.heads.end}].push_back(s);
  }
  for (auto& [key, hops] : chains) {
    std::stable_sort(hops.begin(), hops.end(),
                     [](const Send& a, const Send& b) { return a.step < b.step; });
    // The owner's own part stays at home; what the other ranks add travels with each later hop.
    for (size_t i = 1; i < hops.size(); ++i) {
      Send gradient = hops[i];
      gradient.tensor = Tensor::dkv;
      gradient.step = hops[i].step + 1;
      backward.sends.push_back(gradient);
    }
    Send last = hops.back();
    last.tensor = Tensor::dkv;
    last.step = hops.back().step + 2;
    last.from = hops.back().to;
    last.to = hops.front().from;
    backward.sends.push_back(last);
  }
  plan_.gradient_wire = GradientWire::accumulation;
}

namespace {

void finish_pass(Pass& pass) {
  std::stable_sort(pass.attends.begin(), pass.attends.end(), [](const Attend& a, const Attend& b) {
    return std::tie(a.step, a.rank) < std::tie(b.step, b.rank);
  });
  std::stable_sort(pass.sends.begin(), pass.sends.end(), [](const Send& a, const Send& b) {
    return std::tie(a.step, a.substage) < std::tie(b.step, b.substage);
  });
  count_steps(pass);
}

}  // namespace

Plan PlanBuilder::finish() {
  finish_pass(plan_.forward);
  finish_pass(plan_.backward);
  return std::move(plan_);
}

}  // namespace cpbench
