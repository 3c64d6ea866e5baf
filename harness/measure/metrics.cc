#include "harness/measure/metrics.h"

#include <algorithm>
#include <numeric>

#include "harness/measure/attribution.h"
#include "harness/measure/bounds.h"
#include "harness/measure/communication_groups.h"
#include "harness/measure/flops.h"
#include "harness/measure/samples.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {

const char* const kFlopConvention =
    "2 (D + Dv) per visible (query, key, query head) triple forward; backward 2.5 times forward";

namespace {

using Value = std::optional<double>;

bool both(const Result& r) { return r.spec.passes == Passes::both; }
bool planned(const Result& r) { return !r.packs.empty(); }
bool ran(const Result& r) {
  return planned(r) && std::all_of(r.packs.begin(), r.packs.end(), [](const PackResult& p) {
           return p.timeline.iterations > 0 && !p.timeline.seconds.empty();
         });
}

template <typename Function>
Value sum(const Result& r, Function of_pack) {
  if (!planned(r)) return std::nullopt;
  double total = 0;
  for (const PackResult& pack : r.packs) total += static_cast<double>(of_pack(pack));
  return total;
}

int64_t total(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}
int64_t maximum(const std::vector<int64_t>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

std::vector<int64_t> both_passes(const PackResult& pack, std::vector<int64_t> PassSummary::*field) {
  std::vector<int64_t> values = pack.summary.forward.*field;
  const std::vector<int64_t>& backward = pack.summary.backward.*field;
  values.resize(std::max(values.size(), backward.size()));
  for (size_t i = 0; i < backward.size(); ++i) values[i] += backward[i];
  return values;
}

// Sum over packs of the maximum over ranks, over the sum of the mean; nullopt if nothing is there.
template <typename Function>
Value imbalance(const Result& r, Function per_rank) {
  double maxima = 0, means = 0;
  for (const PackResult& pack : r.packs) {
    const std::vector<int64_t> values = per_rank(pack);
    if (values.empty()) return std::nullopt;
    maxima += static_cast<double>(maximum(values));
    means += static_cast<double>(total(values)) / static_cast<double>(values.size());
  }
  if (means == 0) return std::nullopt;
  return maxima / means;
}

// ---- what the plan says

double flops(const Result& r, const PackResult& pack) {
  return flops_per_pair(r.spec.shape, r.spec.passes) *
         static_cast<double>(total(pack.summary.pairs_per_rank));
}
Value attention_flops(const Result& r) {
  return sum(r, [&](const PackResult& p) { return flops(r, p); });
}

int64_t wire(const PackResult& p) {
  return p.summary.forward.wire_bytes + p.summary.backward.wire_bytes;
}
Value wire_bytes(const Result& r) { return sum(r, wire); }
Value forward_wire_bytes(const Result& r) {
  return sum(r, [](const PackResult& p) { return p.summary.forward.wire_bytes; });
}
Value backward_wire_bytes(const Result& r) {
  if (!both(r)) return std::nullopt;
  return sum(r, [](const PackResult& p) { return p.summary.backward.wire_bytes; });
}
Value useful_bytes(const Result& r) {
  return sum(r, [](const PackResult& p) { return p.summary.useful_bytes; });
}
Value inter_node_bytes(const Result& r) {
  return sum(r, [](const PackResult& p) {
    return p.summary.forward.inter_node_bytes + p.summary.backward.inter_node_bytes;
  });
}
int64_t critical(const PassSummary& pass) {
  return std::max(maximum(pass.bytes_in), maximum(pass.bytes_out));
}
Value critical_bytes(const Result& r) {
  return sum(r, [](const PackResult& p) {
    return critical(p.summary.forward) + critical(p.summary.backward);
  });
}
Value compute_imbalance(const Result& r) {
  return imbalance(r, [](const PackResult& p) { return p.summary.pairs_per_rank; });
}
Value token_imbalance(const Result& r) {
  return imbalance(r, [](const PackResult& p) { return p.summary.tokens_per_rank; });
}
Value bytes_in_imbalance(const Result& r) {
  return imbalance(r, [](const PackResult& p) { return both_passes(p, &PassSummary::bytes_in); });
}
Value bytes_out_imbalance(const Result& r) {
  return imbalance(r, [](const PackResult& p) { return both_passes(p, &PassSummary::bytes_out); });
}

// Every rank gets all KV of the others; backward every rank gives its dkv of all others' tokens.
int64_t all_gather_bytes(const Result& r, const PackResult& pack) {
  const AttentionShape& shape = r.spec.shape;
  const Heads all{0, shape.query_heads};
  int64_t per_token = wire_bytes_per_token(Tensor::kv, all, shape, GradientWire::model);
  if (both(r)) per_token += wire_bytes_per_token(Tensor::dkv, all, shape, GradientWire::model);
  return (r.spec.ranks - 1) * pack.batch.tokens() * per_token;
}
Value communication_saving(const Result& r) {
  if (r.spec.ranks < 2 || !planned(r)) return std::nullopt;
  const Value all = sum(r, [&](const PackResult& p) { return all_gather_bytes(r, p); });
  return 1 - *wire_bytes(r) / *all;
}
Value steps(const Result& r) {
  return sum(
      r, [](const PackResult& p) { return p.summary.forward.steps + p.summary.backward.steps; });
}
Value messages(const Result& r) {
  return sum(
      r, [](const PackResult& p) { return p.summary.forward.sends + p.summary.backward.sends; });
}
GroupHistory group_history(const Result& r) {
  std::vector<std::vector<RankGroup>> packs;
  for (const PackResult& p : r.packs) {
    packs.push_back(communication_groups(p.plan, r.spec.passes));
  }
  return history_of(packs, r.spec.ranks);
}
Value communicators(const Result& r) {
  if (!planned(r)) return std::nullopt;
  return group_history(r).communicators;
}
Value group_changes(const Result& r) {
  if (!planned(r) || r.packs.size() < 2) return std::nullopt;
  return group_history(r).changes;
}
Value peak_bytes(const Result& r) {
  if (!planned(r)) return std::nullopt;
  int64_t peak = 0;
  for (const PackResult& p : r.packs) peak = std::max(peak, maximum(p.summary.peak_bytes));
  return static_cast<double>(peak);
}
Value planning_seconds(const Result& r) {
  return sum(r, [](const PackResult& p) { return p.planning_seconds; });
}
Value check_seconds(const Result& r) {
  return sum(r, [](const PackResult& p) { return p.check_seconds; });
}

// ---- what the run observed

Value compile_seconds(const Result& r) {
  if (!ran(r)) return std::nullopt;
  return sum(r, [](const PackResult& p) { return p.compile_seconds; });
}
Value counted_bytes(const Result& r) {
  if (!ran(r)) return std::nullopt;
  return sum(r, [](const PackResult& p) { return total(p.timeline.bytes_sent); });
}
Value counted_messages(const Result& r) {
  if (!ran(r)) return std::nullopt;
  return sum(r, [](const PackResult& p) { return total(p.timeline.messages); });
}
Value measured_peak_bytes(const Result& r) {
  if (!ran(r)) return std::nullopt;
  int64_t peak = 0;
  for (const PackResult& p : r.packs) peak = std::max(peak, maximum(p.timeline.peak_bytes));
  return static_cast<double>(peak);
}

// One number per iteration, of `seconds` per accepted one: the maximum over ranks, summed over
// packs.
std::vector<double> per_iteration(const Result& r, std::vector<double> Timeline::*field) {
  std::vector<double> totals;
  for (const PackResult& pack : r.packs) {
    std::vector<double> slowest = slowest_rank(pack.timeline.*field, pack.timeline.ranks);
    if (field == &Timeline::seconds) slowest = accepted(slowest, pack.timeline.accepted);
    if (totals.empty()) totals.resize(slowest.size());
    totals.resize(std::min(totals.size(), slowest.size()));
    for (size_t i = 0; i < totals.size(); ++i) totals[i] += slowest[i];
  }
  return totals;
}
Value median_seconds(const Result& r, std::vector<double> Timeline::*field) {
  if (!ran(r)) return std::nullopt;
  const std::vector<double> samples = per_iteration(r, field);
  if (samples.empty()) return std::nullopt;
  return median(samples);
}
Value iteration_seconds(const Result& r) { return median_seconds(r, &Timeline::seconds); }
Value attention_seconds(const Result& r) { return median_seconds(r, &Timeline::attention_seconds); }
Value iteration_seconds_low(const Result& r) {
  if (!ran(r)) return std::nullopt;
  const auto interval = median_interval(per_iteration(r, &Timeline::seconds));
  return interval ? Value(interval->first) : std::nullopt;
}
Value iteration_seconds_high(const Result& r) {
  if (!ran(r)) return std::nullopt;
  const auto interval = median_interval(per_iteration(r, &Timeline::seconds));
  return interval ? Value(interval->second) : std::nullopt;
}
Value throttled_share(const Result& r) {
  double rejected = 0, all = 0;
  for (const PackResult& p : r.packs) {
    for (uint8_t accepted : p.timeline.accepted) {
      rejected += accepted ? 0 : 1;
      all += 1;
    }
  }
  return all > 0 ? Value(rejected / all) : std::nullopt;
}
Value overhead_share(const Result& r) {
  if (!ran(r)) return std::nullopt;
  double overhead = 0, all = 0;
  for (const PackResult& p : r.packs) {
    const auto& o = p.timeline.overhead_seconds;
    const auto& s = p.timeline.seconds;
    overhead += std::accumulate(o.begin(), o.end(), 0.0);
    all += std::accumulate(s.begin(), s.end(), 0.0);
  }
  if (all <= 0) return std::nullopt;
  return overhead / all;
}

// Share of the traced iteration that ranks spent in one activity; all packs.
Value share_of(const Result& r, Activity activity) {
  double inside = 0, all = 0;
  for (const PackResult& p : r.packs) {
    double end = 0;
    for (const Event& e : p.timeline.events) {
      end = std::max(end, e.end_seconds);
      if (e.activity == activity) inside += e.end_seconds - e.start_seconds;
    }
    all += end * p.timeline.ranks;
  }
  if (all <= 0) return std::nullopt;
  return inside / all;
}
Value attention_share(const Result& r) { return share_of(r, Activity::attention); }
Value merge_share(const Result& r) { return share_of(r, Activity::merge); }
Value copy_share(const Result& r) { return share_of(r, Activity::copy); }
Value send_share(const Result& r) { return share_of(r, Activity::send); }
Value wait_share(const Result& r) { return share_of(r, Activity::wait); }

Value wire_bytes_bound(const Result& r) {
  return sum(r, [&](const PackResult& p) {
    Problem problem{p.batch, r.spec.shape, {.nodes = r.spec.nodes}};
    problem.cluster.gpus_per_node = r.spec.ranks / r.spec.nodes;
    return lower_bounds(problem, r.spec.passes, p.plan.gradient_wire).wire_bytes;
  });
}

Value flops_per_second_per_rank(const Result& r) {
  const Value seconds = iteration_seconds(r);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return *attention_flops(r) / *seconds / r.spec.ranks;
}
Value tflops_per_rank(const Result& r) {
  const Value rate = flops_per_second_per_rank(r);
  return rate ? Value(*rate / 1e12) : std::nullopt;
}
Value tflops_per_rank_mean(const Result& r) {
  if (!ran(r)) return std::nullopt;
  double rates = 0;
  for (const PackResult& p : r.packs) {
    const double seconds =
        median(accepted(slowest_rank(p.timeline.seconds, p.timeline.ranks), p.timeline.accepted));
    if (seconds <= 0) return std::nullopt;
    rates += flops(r, p) / seconds / r.spec.ranks / 1e12;
  }
  return rates / static_cast<double>(r.packs.size());
}
Value tokens_per_second(const Result& r) {
  const Value seconds = iteration_seconds(r);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return *sum(r, [](const PackResult& p) { return p.batch.new_tokens(); }) / *seconds;
}
Value mfu(const Result& r) {
  if (r.oversubscribed || r.peak_flops_per_second <= 0) return std::nullopt;
  const Value rate = flops_per_second_per_rank(r);
  return rate ? Value(*rate / r.peak_flops_per_second) : std::nullopt;
}

// Projections and FFN count where the iteration has them.
Value module_mfu(const Result& r) {
  const Value attention = mfu(r);
  if (!attention) return std::nullopt;
  double layer = 0;
  for (const PackResult& p : r.packs) {
    const std::vector<Event>& events = p.timeline.events;
    if (std::none_of(events.begin(), events.end(),
                     [](const Event& e) { return e.activity == Activity::layer; })) {
      return std::nullopt;
    }
    layer += layer_flops_per_token(r.spec.shape) * static_cast<double>(p.batch.new_tokens());
  }
  if (both(r)) layer *= 1 + kBackwardLayerFlopsOverForward;
  return *attention * (1 + layer / *attention_flops(r));
}

template <double TimeParts::*part>
Value time_part(const Result& r) {
  const std::optional<TimeParts> parts = attribute_time(r);
  return parts ? Value((*parts).*part) : std::nullopt;
}

Value worst(const Result& r, double Accuracy::*field) {
  if (!ran(r) || r.simulated) return std::nullopt;  // a simulation computes no tensor
  double largest = 0;
  for (const PackResult& p : r.packs) {
    const double error = p.timeline.accuracy.*field;
    if (!(error <= largest)) largest = error;  // a NaN wins and stays
  }
  return largest;
}
Value max_error_output(const Result& r) { return worst(r, &Accuracy::max_error_output); }
Value max_error_gradient(const Result& r) {
  return both(r) ? worst(r, &Accuracy::max_error_gradient) : std::nullopt;
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table = {
      {"mfu", "1", "higher",
       "attention FLOPs over ranks x peak x iteration_seconds; on threads the peak is the measured "
       "one of a core, and there is no MFU with more ranks than cores",
       1, mfu},
      {"module_mfu", "1", "higher",
       "as mfu, with the FLOPs of projections and FFN (backward 2 times forward) where the "
       "iteration has them",
       1, module_mfu},
      {"tflops_per_rank", "TFLOP/s", "higher", "sum of attention FLOPs over sum of time, per rank",
       1, tflops_per_rank},
      {"tflops_per_rank_mean", "TFLOP/s", "higher",
       "mean over packs of each pack's attention FLOPs over its median time, per rank", 1,
       tflops_per_rank_mean},
      {"throughput", "tokens/s", "higher",
       "tokens of all packs, without cached ones, over iteration_seconds", 1, tokens_per_second},
      {"iteration_seconds", "s", "lower",
       "median over iterations of the maximum over ranks, summed over packs", 1, iteration_seconds},
      {"iteration_seconds_low", "s", "none",
       "lower end of the 95% interval of iteration_seconds (order statistics, 6 iterations or "
       "more)",
       1, iteration_seconds_low},
      {"iteration_seconds_high", "s", "none", "upper end of the 95% interval of iteration_seconds",
       1, iteration_seconds_high},
      {"throttled_share", "1", "lower",
       "samples during which a GPU ran below 0.75 of its highest clock; they do not count, unless "
       "all are so",
       1, throttled_share},
      {"attention_seconds", "s", "lower",
       "inside kernel calls: median over iterations of the maximum over ranks, summed over packs",
       1, attention_seconds},
      {"attention_share", "1", "higher", "kernel calls, share of all ranks' time", 1,
       attention_share},
      {"merge_share", "1", "lower", "merging of partial results, share of all ranks' time", 1,
       merge_share},
      {"copy_share", "1", "lower", "packing and unpacking of buffers, share of all ranks' time", 1,
       copy_share},
      {"send_share", "1", "lower", "handing bytes to the transport, share of all ranks' time", 1,
       send_share},
      {"wait_share", "1", "lower",
       "waiting for arrivals (exposed communication and imbalance), share of all ranks' time", 1,
       wait_share},
      {"overhead_share", "1", "lower",
       "time in neither kernels, merges, copies, sends nor waits: the harness itself", 1,
       overhead_share},
      {"time_total", "s", "lower",
       "the traced iteration, to the end of the rank that ends last; the other time_* are its "
       "parts "
       "and sum to it (attribution.h)",
       1, time_part<&TimeParts::total>},
      {"time_ideal", "s", "none", "attention FLOPs over ranks x peak", 1,
       time_part<&TimeParts::ideal>},
      {"time_kernel_inefficiency", "s", "lower",
       "kernel calls of the last rank, beyond its FLOPs at the peak", 1,
       time_part<&TimeParts::kernel_inefficiency>},
      {"time_imbalance", "s", "lower",
       "FLOPs of the last rank beyond the mean at the peak, and waiting while nothing of it is in "
       "flight",
       1, time_part<&TimeParts::imbalance>},
      {"time_exposed_communication", "s", "lower",
       "the last rank waits for bytes in flight or hands them over, without padding; all waiting "
       "where transfers were not traced",
       1, time_part<&TimeParts::exposed_communication>},
      {"time_padding", "s", "lower", "exposed communication of the padding of collectives", 1,
       time_part<&TimeParts::padding>},
      {"time_copies", "s", "lower", "packing, unpacking and merging on the last rank", 1,
       time_part<&TimeParts::copies>},
      {"time_layer", "s", "none", "projections and FFN on the last rank", 1,
       time_part<&TimeParts::layer>},
      {"time_other", "s", "lower", "the rest: the harness itself", 1, time_part<&TimeParts::other>},
      {"attention_flops", "FLOP", "none", kFlopConvention, 1, attention_flops},
      {"useful_bytes", "bytes", "lower",
       "distinct data that some rank attends to and that lives elsewhere", 1, useful_bytes},
      {"wire_bytes", "bytes", "lower", "planned bytes on the wire, with padding and duplicates", 1,
       wire_bytes},
      {"wire_bytes_bound", "bytes", "none",
       "fewest bytes of any plan whose ranks own at most ceil(T / N) tokens (bounds.h)", 1,
       wire_bytes_bound},
      {"counted_bytes", "bytes", "lower", "bytes that the transport counted in one iteration", 1,
       counted_bytes},
      {"forward_wire_bytes", "bytes", "lower", "wire_bytes of the forward pass", 1,
       forward_wire_bytes},
      {"backward_wire_bytes", "bytes", "lower", "wire_bytes of the backward pass", 1,
       backward_wire_bytes},
      {"inter_node_bytes", "bytes", "lower", "of wire_bytes those that cross nodes", 1,
       inter_node_bytes},
      {"critical_bytes", "bytes", "lower",
       "maximum over ranks of max(bytes in, bytes out), summed over passes", 1, critical_bytes},
      {"communication_saving", "1", "higher",
       "1 - wire_bytes over the bytes of gathering all KV on every rank (and reducing all dKV)", 1,
       communication_saving},
      {"compute_imbalance", "1", "lower",
       "maximum over mean over ranks of attended (query, key, head) pairs", 1, compute_imbalance},
      {"token_imbalance", "1", "lower", "maximum over mean over ranks of owned tokens", 1,
       token_imbalance},
      {"bytes_in_imbalance", "1", "lower", "maximum over mean over ranks of bytes received", 1,
       bytes_in_imbalance},
      {"bytes_out_imbalance", "1", "lower", "maximum over mean over ranks of bytes sent", 1,
       bytes_out_imbalance},
      {"steps", "1", "lower", "steps of the plan, both passes", 1, steps},
      {"planned_sends", "1", "lower", "sends of the plan (a multicast or reduction is one)", 1,
       messages},
      {"communicators", "1", "none",
       "distinct sets of ranks that exchange data with one another, over all packs", 1,
       communicators},
      {"group_changes", "1", "none",
       "from pack to pack: such sets in which some rank comes from another set", 1, group_changes},
      {"counted_messages", "1", "lower", "messages that the transport counted in one iteration", 1,
       counted_messages},
      {"peak_bytes", "bytes", "lower", "planned peak memory of the fullest rank", 1, peak_bytes},
      {"measured_peak_bytes", "bytes", "lower", "peak of the buffers in use on the fullest rank", 1,
       measured_peak_bytes},
      {"planning_seconds", "s", "lower", "CPU time of the strategy; of exec:PROGRAM by the clock",
       1, planning_seconds},
      {"check_seconds", "s", "lower", "time of the plan checker", 1, check_seconds},
      {"compile_seconds", "s", "lower", "time from plan to program", 1, compile_seconds},
      {"max_error_output", "1", "lower",
       "largest absolute error of the output against the single-device reference", 1,
       max_error_output},
      {"max_error_gradient", "1", "lower",
       "largest absolute error of dQ, dK, dV against the single-device reference", 1,
       max_error_gradient},
  };
  return table;
}

const Metric& find_metric(const std::string& name) {
  std::vector<std::string> known;
  for (const Metric& metric : metrics()) {
    if (metric.name == name) return metric;
    known.push_back(metric.name);
  }
  throw UserError(unknown_name("metric", name, known));
}

std::vector<MetricValue> evaluate_metrics(const Result& result) {
  std::vector<MetricValue> values;
  for (const Metric& metric : metrics()) {
    if (const Value value = metric.value(result)) {
      values.push_back({metric.name, *value, metric.unit, metric.better, metric.description,
                        metric.definition_version});
    }
  }
  return values;
}

std::optional<double> metric_value(const Result& result, const std::string& name) {
  for (const MetricValue& metric : result.metrics) {
    if (metric.name == name) return metric.value;
  }
  return std::nullopt;
}

}  // namespace cpbench
