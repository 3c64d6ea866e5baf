#include "methods/fcp/schedule.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <map>
#include <cstdio>
#include <utility>

#include "harness/strategy/sharding.h"
#include "methods/fcp/agenda.h"
#include "methods/fcp/colouring.h"
#include "methods/fcp/permute.h"
#include "methods/fcp/random.h"

namespace cpbench::fcp {
namespace {

// Each rank receives one transfer per stage, in an order of its own.
void in_random_order(Schedule& schedule, uint64_t seed) {
  std::vector<int32_t> order(schedule.needs.transfers.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<int32_t> received(schedule.home.size(), 0);
  for (int32_t i : order) {
    const int32_t stage = received[schedule.needs.transfers[i].to]++;
    schedule.slots[i] = {stage, 0};
    schedule.stages = std::max(schedule.stages, stage + 1);
  }
}

void by_colour(Schedule& schedule, std::vector<Edge>& edges, int32_t coalesce) {
  const std::vector<double> turn =
      turns(schedule.needs, schedule.sets, static_cast<int32_t>(schedule.home.size()));
  for (size_t i = 0; i < edges.size(); ++i) {
    edges[i].job = schedule.needs.transfers[i].job;
    edges[i].stage = static_cast<int32_t>(turn[i] * schedule.degree) / coalesce;
  }
  std::vector<int> ord(edges.size()); std::iota(ord.begin(),ord.end(),0);
  const char* o=getenv("FCPORD");
  if (o && *o=='t') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return turn[a]<turn[b];});
  if (o && *o=='s') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return edges[a].stage<edges[b].stage;});
  if (o && *o=='j') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return std::pair(schedule.needs.transfers[a].job,turn[a])<std::pair(schedule.needs.transfers[b].job,turn[b]);});
  if (o && *o=='r') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return std::pair(edges[a].stage,schedule.needs.transfers[a].job)<std::pair(edges[b].stage,schedule.needs.transfers[b].job);});
  std::vector<int> nj(schedule.needs.jobs.size()); for (auto&t:schedule.needs.transfers) ++nj[t.job];
  if (o && *o=='A') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return nj[edges[a].job]<nj[edges[b].job];});
  if (o && *o=='D') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return nj[edges[a].job]>nj[edges[b].job];});
  if (o && *o=='B') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return std::tuple(nj[edges[a].job],edges[a].job,turn[a])<std::tuple(nj[edges[b].job],edges[b].job,turn[b]);});
  if (o && *o=='E') std::stable_sort(ord.begin(),ord.end(),[&](int a,int b){return std::tuple(-nj[edges[a].job],edges[a].job,turn[a])<std::tuple(-nj[edges[b].job],edges[b].job,turn[b]);});
  std::vector<Edge> e2; for (int i:ord) e2.push_back(edges[i]);
  Colouring colouring =
      colour_edges(e2, static_cast<int32_t>(schedule.home.size()), coalesce);
  {auto c2=colouring.colour; for (size_t i=0;i<ord.size();++i) colouring.colour[ord[i]]=c2[i];}
  if (getenv("FCPDBG")) {
    std::set<std::pair<int,int>> js; std::map<int,int> n; long dev=0; int ideal=0;
    for (size_t i = 0; i < edges.size(); ++i) { int st=colouring.colour[i]/coalesce; js.insert({schedule.needs.transfers[i].job, st}); ++n[schedule.needs.transfers[i].job]; dev+=std::abs(st-edges[i].stage);}
    for (auto [j,c]:n) ideal+=(c+coalesce-1)/coalesce;
    fprintf(stderr,"D %d transfers %zu jobs %zu job-stages %zu ideal %d mean dev %.2f stages %d\n", schedule.degree, edges.size(), n.size(), js.size(), ideal, double(dev)/edges.size(), (colouring.colours+coalesce-1)/coalesce);
  }
  for (size_t i = 0; i < edges.size(); ++i) {
    schedule.slots[i] = {colouring.colour[i] / coalesce, colouring.colour[i] % coalesce};
  }
  schedule.stages = (colouring.colours + coalesce - 1) / coalesce;
  schedule.substages_per_stage = std::min(coalesce, std::max(colouring.colours, 1));
}

}  // namespace

int64_t default_block_tokens(int64_t tokens, int32_t ranks) {
  return std::clamp<int64_t>(tokens / (8 * int64_t{ranks}), 1, 4096);
}

Schedule make_schedule(const Problem& problem, const FcpOptions& options) {
  const int32_t ranks = problem.ranks();
  const int64_t tokens = problem.tokens();
  Schedule schedule;
  for (const Ranges& shard : contiguous_shards(tokens, ranks)) {
    schedule.home.push_back(shard.empty() ? Range{} : shard.front());
  }
  const int64_t block =
      options.block_tokens > 0 ? options.block_tokens : default_block_tokens(tokens, ranks);
  schedule.deduplicated = options.deduplicate;
  schedule.units = cut(problem.batch, {block, options.shape});
  schedule.token_limit = token_limit(tokens, ranks, options.distribute.delta);
  schedule.rank_of = distribute(schedule.units.units, ranks, options.distribute);
  const bool causal =
      problem.batch.mask == Mask::document_causal || problem.batch.mask == Mask::causal;
  if (options.permute && causal) permute_units(schedule.units, ranks, schedule.rank_of);

  schedule.needs = find_needs(MaskIndex(problem.batch), schedule.units, schedule.rank_of,
                              schedule.home, options.deduplicate, schedule.sets);
  std::vector<Edge> edges;
  edges.reserve(schedule.needs.transfers.size());
  for (const Transfer& t : schedule.needs.transfers) edges.push_back({t.from, t.to});
  schedule.degree = max_degree(edges, ranks);
  schedule.slots.resize(edges.size());
  switch (options.arm) {
    case Arm::base:
      schedule.stages = edges.empty() ? 0 : 1;
      break;
    case Arm::pipelined:
      in_random_order(schedule, options.seed);
      break;
    case Arm::conflict_free:
      by_colour(schedule, edges, 1);
      break;
    case Arm::coalesced:
    case Arm::reshuffle_overlapped:
      by_colour(schedule, edges, options.coalesce);
      break;
  }
  std::vector<int32_t> stage_of;
  stage_of.reserve(edges.size());
  for (const Slot& slot : schedule.slots) stage_of.push_back(slot.stage);
  schedule.local_step = local_steps(schedule.needs, stage_of, schedule.stages, ranks);
  return schedule;
}

}  // namespace cpbench::fcp
