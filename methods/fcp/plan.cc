// FCP: cuts sequences into fixed-size blocks on any rank. K,V travel in conflict-free
// point-to-point transfers.
#include <algorithm>
#include <string>

#include "harness/strategy/strategy.h"
#include "methods/fcp/balance.h"
#include "methods/fcp/distribute.h"
#include "methods/fcp/schedule.h"
#include "methods/fcp/ulysses.h"
#include "methods/fcp/write_plan.h"

namespace cpbench {
namespace fcp {
namespace {

Arm arm_named(const std::string& name) {
  if (name == "base") return Arm::base;
  if (name == "pipelined") return Arm::pipelined;
  if (name == "conflict_free") return Arm::conflict_free;
  if (name == "coalesced") return Arm::coalesced;
  return Arm::reshuffle_overlapped;
}

FcpOptions read(const Options& options) {
  FcpOptions read;
  read.block_tokens = options.integer("block");
  read.shape = options.text("units") == "zigzag" ? UnitShape::zigzag : UnitShape::contiguous;
  read.distribute = {options.number("alpha"), options.number("beta"), options.number("delta"),
                     options.boolean("local_search")};
  read.permute = options.boolean("permute");
  read.deduplicate = options.boolean("dedup");
  read.reshuffle = options.boolean("reshuffle");
  read.coalesce = static_cast<int32_t>(options.integer("coalesce"));
  read.arm = arm_named(options.text("arm"));
  read.seed = static_cast<uint64_t>(options.integer("seed"));
  return read;
}

int32_t group_of(const Options& options) {
  return static_cast<int32_t>(options.integer("ulysses"));
}

Plan make_plan(const Problem& problem, const Options& options) {
  const FcpOptions fcp = read(options);
  const int32_t group = group_of(options);
  if (group == 1) return write_plan(problem, make_schedule(problem, fcp), fcp.arm);
  const Problem between = between_groups(problem, group);
  return inside_groups(problem, write_plan(between, make_schedule(between, fcp), fcp.arm), group);
}

// If the busiest rank has more than this times the mean work, a smaller block is worth trying.
constexpr double kEven = 1.05;
// The smallest block that is tried, as a part of the block in use: below a sixty-fourth there are
// too many transfers.
constexpr int64_t kSmallestBlockPart = 64;

double imbalance_with_block(const Problem& problem, const FcpOptions& fcp, int64_t block_tokens) {
  Schedule schedule;
  schedule.units = cut(problem.batch, {block_tokens, fcp.shape});
  schedule.rank_of = distribute(schedule.units.units, problem.ranks(), fcp.distribute);
  return compute_imbalance(schedule.units.units, schedule.rank_of, problem.ranks());
}

// The largest block, in halves of the block in use, with which the work is even. 0 if none of those
// tried is, or if the work is even already.
int64_t block_that_evens(const Problem& problem, const FcpOptions& fcp, double imbalance) {
  if (imbalance <= kEven) return 0;
  const int64_t block = block_tokens(problem, fcp);
  for (int64_t part = 2; part <= std::min(block, kSmallestBlockPart); part *= 2) {
    if (imbalance_with_block(problem, fcp, block / part) <= kEven) return block / part;
  }
  return 0;
}

std::vector<ReportedValue> make_report(const Problem& whole, const Options& options) {
  const FcpOptions fcp = read(options);
  const Problem problem = between_groups(whole, group_of(options));
  const Schedule schedule = make_schedule(problem, fcp);
  const Balance balance = balance_of(problem, schedule);
  FcpOptions other = fcp;
  other.deduplicate = !fcp.deduplicate;
  const Balance other_balance = balance_of(problem, make_schedule(problem, other));
  const Balance& once = fcp.deduplicate ? balance : other_balance;
  const Balance& repeated = fcp.deduplicate ? other_balance : balance;
  return {
      {"block_tokens", static_cast<double>(block_tokens(problem, fcp)), "tokens"},
      {"block_for_overlap", static_cast<double>(block_for_overlap(problem)), "tokens"},
      {"units", static_cast<double>(schedule.units.units.size()), "units"},
      {"transfers", static_cast<double>(schedule.needs.transfers.size()), "transfers"},
      {"max_degree", static_cast<double>(schedule.degree), "sub-stages"},
      {"stages", static_cast<double>(schedule.stages), "stages"},
      {"compute_imbalance", balance.compute, "max/mean"},
      {"compute_imbalance_bound", balance.compute_bound, "max/mean"},
      {"token_imbalance", balance.tokens, "max/mean"},
      {"largest_unit", balance.largest_unit, "of mean compute"},
      {"block_that_evens_compute",
       static_cast<double>(block_that_evens(problem, fcp, balance.compute)), "tokens"},
      {"send_imbalance", once.sent, "max/mean"},
      {"receive_imbalance", once.received, "max/mean"},
      {"send_imbalance_undeduplicated", repeated.sent, "max/mean"},
      {"receive_imbalance_undeduplicated", repeated.received, "max/mean"},
  };
}

}  // namespace
}  // namespace fcp

extern const Strategy strategy_fcp = {
    .name = "fcp",
    .title = "FCP (block packing)",
    .source = "FCP, arXiv 2605.08524, MLSys 2026",
    .moves =
        "Q,K,V to the ranks of their blocks and O back; K,V blocks between ranks in "
        "conflict-free sub-stages",
    .constraints = "each unit must fit on a rank; block <= delta * tokens / ranks always fits",
    .options =
        {
            {.name = "block",
             .kind = OptionKind::integer,
             .default_value = "0",
             .help = "most tokens of a block; 0: 4096, or more if the network requires it, but "
                     "at most an eighth of a rank's tokens",
             .minimum = 0,
             .maximum = 1 << 30,
             .choices = {}},
            {.name = "units",
             .kind = OptionKind::choice,
             .default_value = "zigzag",
             .help = "zigzag: an early and a late half block (equal work); contiguous: one block",
             .choices = {"zigzag", "contiguous"}},
            {.name = "alpha",
             .kind = OptionKind::number,
             .default_value = "1",
             .help = "weight of a rank's tokens in the placement",
             .minimum = 0,
             .maximum = 1e6,
             .choices = {}},
            {.name = "beta",
             .kind = OptionKind::number,
             .default_value = "1",
             .help = "weight of a rank's attention work in the placement",
             .minimum = 0,
             .maximum = 1e6,
             .choices = {}},
            {.name = "delta",
             .kind = OptionKind::number,
             .default_value = "0.125",
             .help = "a rank may have this fraction more tokens than the mean",
             .minimum = 0,
             .maximum = 1e6,
             .choices = {}},
            {.name = "local_search",
             .kind = OptionKind::boolean,
             .default_value = "false",
             .help = "ours: after the placement, redistribute the units of a few ranks while that "
                     "lowers the work of the busiest rank",
             .choices = {}},
            {.name = "permute",
             .kind = OptionKind::boolean,
             .default_value = "false",
             .help = "ours: exchange equal units among the ranks of a sequence for more even "
                     "traffic",
             .choices = {}},
            {.name = "dedup",
             .kind = OptionKind::boolean,
             .default_value = "false",
             .help = "ours: send each unit once to each rank that sees it, and only what is seen; "
                     "false: whole, once for each query unit",
             .choices = {}},
            {.name = "reshuffle",
             .kind = OptionKind::boolean,
             .default_value = "true",
             .help = "move tokens from the even contiguous split to their units and back; false: "
                     "tokens stay where their units are, from layer to layer",
             .choices = {}},
            {.name = "arm",
             .kind = OptionKind::choice,
             .default_value = "reshuffle_overlapped",
             .help = "arm of the paper's ablation; each adds one thing to the arm before it",
             .choices = {"base", "pipelined", "conflict_free", "coalesced",
                         "reshuffle_overlapped"}},
            {.name = "coalesce",
             .kind = OptionKind::integer,
             .default_value = "16",
             .help = "sub-stages per step (arms coalesced and reshuffle_overlapped)",
             .minimum = 1,
             .maximum = 1 << 20,
             .choices = {}},
            {.name = "ulysses",
             .kind = OptionKind::integer,
             .default_value = "1",
             .help =
                 "neighbouring ranks of a node that share their heads by Ulysses; fcp then runs "
                 "between the groups",
             .minimum = 1,
             .maximum = 1 << 10,
             .choices = {}},
            {.name = "seed",
             .kind = OptionKind::integer,
             .default_value = "1",
             .help = "seed of the random order (arms base and pipelined)",
             .minimum = 0,
             .maximum = 1e15,
             .choices = {}},
        },
    .tuning = {{"block", {"2048"}}, {"dedup", {"true"}}, {"local_search", {"true"}}},
    .plan = fcp::make_plan,
    .report = fcp::make_report,
};

}  // namespace cpbench
