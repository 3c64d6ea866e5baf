#include "harness/measure/metrics.h"

#include <algorithm>
#include <functional>
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
    "2 (D + Dv) per visible (query, key, query head) triple forward; backward 2.5 times that";

namespace {

using Value = std::optional<double>;

bool both(const Result& r) { return r.spec.passes == Passes::both; }
bool planned(const Result& r) { return !r.packs.empty(); }
bool ran(const Result& r) {
  return planned(r) && std::all_of(r.packs.begin(), r.packs.end(), [](const PackResult& p) {
           return p.timeline.iterations > 0 && !p.timeline.seconds.empty();
         });
}

int64_t total(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}
int64_t maximum(const std::vector<int64_t>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}
Value ratio(double part, double whole) { return whole > 0 ? Value(part / whole) : std::nullopt; }

// In the templates, `of_pack` and `per_rank` are functions or members of a PackResult.
template <typename Function>
Value sum(const Result& r, Function of_pack) {
  if (!planned(r)) return std::nullopt;
  double sum = 0;
  for (const PackResult& pack : r.packs) {
    sum += pack.layers * static_cast<double>(std::invoke(of_pack, pack));
  }
  return sum;
}
template <auto of_pack>
Value sum_of(const Result& r) {
  return sum(r, of_pack);
}
template <auto of_pack>
Value sum_if_ran(const Result& r) {
  return ran(r) ? sum(r, of_pack) : std::nullopt;
}

// The sum over packs of the maximum over ranks, divided by the sum over packs of the mean.
template <auto per_rank>
Value imbalance(const Result& r) {
  double maxima = 0, means = 0;
  for (const PackResult& pack : r.packs) {
    const std::vector<int64_t> values = per_rank(pack);
    if (values.empty()) return std::nullopt;
    maxima += pack.layers * static_cast<double>(maximum(values));
    means += pack.layers * static_cast<double>(total(values)) / static_cast<double>(values.size());
  }
  return ratio(maxima, means);
}

template <auto per_rank>
Value largest(const Result& r) {
  if (!planned(r)) return std::nullopt;
  int64_t most = 0;
  for (const PackResult& pack : r.packs) most = std::max(most, maximum(per_rank(pack)));
  return static_cast<double>(most);
}

// ---- Metrics of the plan

double flops(const Result& r, const PackResult& pack) {
  return flops_per_pair(r.spec.shape, r.spec.passes) *
         static_cast<double>(total(pack.summary.pairs_per_rank));
}
Value attention_flops(const Result& r) {
  return sum(r, [&](const PackResult& p) { return flops(r, p); });
}

int64_t both_passes(const PackResult& p, int64_t PassSummary::*field) {
  return p.summary.forward.*field + p.summary.backward.*field;
}
int64_t wire(const PackResult& p) { return both_passes(p, &PassSummary::wire_bytes); }
int64_t inter_node(const PackResult& p) { return both_passes(p, &PassSummary::inter_node_bytes); }
int64_t sends(const PackResult& p) { return both_passes(p, &PassSummary::sends); }
int64_t steps(const PackResult& p) { return p.summary.forward.steps + p.summary.backward.steps; }
int64_t useful(const PackResult& p) { return p.summary.useful_bytes; }
int64_t forward_wire(const PackResult& p) { return p.summary.forward.wire_bytes; }
int64_t backward_wire(const PackResult& p) { return p.summary.backward.wire_bytes; }
Value backward_wire_bytes(const Result& r) {
  return both(r) ? sum(r, backward_wire) : std::nullopt;
}
int64_t critical(const PassSummary& pass) {
  return std::max(maximum(pass.bytes_in), maximum(pass.bytes_out));
}
int64_t critical_of_both(const PackResult& p) {
  return critical(p.summary.forward) + critical(p.summary.backward);
}

std::vector<int64_t> pairs(const PackResult& p) { return p.summary.pairs_per_rank; }
std::vector<int64_t> tokens(const PackResult& p) { return p.summary.tokens_per_rank; }
std::vector<int64_t> planned_peak(const PackResult& p) { return p.summary.peak_bytes; }
template <std::vector<int64_t> PassSummary::*field>
std::vector<int64_t> by_rank(const PackResult& p) {
  std::vector<int64_t> values = p.summary.forward.*field;
  const std::vector<int64_t>& backward = p.summary.backward.*field;
  values.resize(std::max(values.size(), backward.size()));
  for (size_t i = 0; i < backward.size(); ++i) values[i] += backward[i];
  return values;
}

// Every rank receives the KV of all other ranks; backward, every rank sends its dkv of their
// tokens.
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
  return 1 - *sum(r, wire) / *all;
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
Value communicator_seconds(const Result& r) {
  Value sum;
  for (const PackResult& pack : r.packs) {
    if (pack.communicator_seconds) sum = sum.value_or(0) + *pack.communicator_seconds;
  }
  return sum;
}
Value group_changes(const Result& r) {
  if (!planned(r) || r.packs.size() < 2) return std::nullopt;
  return group_history(r).changes;
}

// ---- Metrics of the execution or simulation

int64_t counted_bytes(const PackResult& p) { return total(p.timeline.bytes_sent); }
int64_t counted_messages(const PackResult& p) { return total(p.timeline.messages); }
std::vector<int64_t> measured_peak(const PackResult& p) { return p.timeline.peak_bytes; }
Value measured_peak_bytes(const Result& r) {
  return ran(r) ? largest<measured_peak>(r) : std::nullopt;
}

// For each iteration, and for `seconds` only for accepted ones: the maximum over ranks, summed over
// packs.
std::vector<double> per_iteration(const Result& r, std::vector<double> Timeline::*field) {
  std::vector<double> totals;
  for (const PackResult& pack : r.packs) {
    std::vector<double> slowest = slowest_rank(pack.timeline.*field, pack.timeline.ranks);
    if (field == &Timeline::seconds) slowest = accepted(slowest, pack.timeline.accepted);
    if (totals.empty()) totals.resize(slowest.size());
    totals.resize(std::min(totals.size(), slowest.size()));
    for (size_t i = 0; i < totals.size(); ++i) totals[i] += pack.layers * slowest[i];
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
std::optional<std::pair<double, double>> interval(const Result& r) {
  return ran(r) ? median_interval(per_iteration(r, &Timeline::seconds)) : std::nullopt;
}
Value iteration_seconds_low(const Result& r) {
  const auto found = interval(r);
  return found ? Value(found->first) : std::nullopt;
}
Value iteration_seconds_high(const Result& r) {
  const auto found = interval(r);
  return found ? Value(found->second) : std::nullopt;
}

// The median over iterations of the maximum over ranks.
double seconds_of(const PackResult& pack) {
  const Timeline& timeline = pack.timeline;
  return median(accepted(slowest_rank(timeline.seconds, timeline.ranks), timeline.accepted));
}

// The times of the fastest and of the slowest of several packs.
std::optional<std::pair<double, double>> pack_seconds(const Result& r) {
  if (!ran(r) || r.packs.size() < 2) return std::nullopt;
  std::vector<double> seconds;
  for (const PackResult& pack : r.packs) seconds.push_back(seconds_of(pack));
  const auto [low, high] = std::ranges::minmax(seconds);
  return std::pair(low, high);
}
Value pack_seconds_low(const Result& r) {
  const auto found = pack_seconds(r);
  return found ? Value(found->first) : std::nullopt;
}
Value pack_seconds_high(const Result& r) {
  const auto found = pack_seconds(r);
  return found ? Value(found->second) : std::nullopt;
}

Value throttled_share(const Result& r) {
  double rejected = 0, all = 0;
  for (const PackResult& p : r.packs) {
    const std::vector<uint8_t>& accepted = p.timeline.accepted;
    rejected += static_cast<double>(std::count(accepted.begin(), accepted.end(), 0));
    all += static_cast<double>(accepted.size());
  }
  return ratio(rejected, all);
}
// The overhead is that of traced iterations, which are never CUDA graphs.
Value overhead_share(const Result& r) {
  if (!ran(r) || r.spec.graph) return std::nullopt;
  double overhead = 0, all = 0;
  for (const PackResult& p : r.packs) {
    const auto& o = p.timeline.overhead_seconds;
    const auto& s = p.timeline.seconds;
    overhead += p.layers * std::accumulate(o.begin(), o.end(), 0.0);
    all += p.layers * std::accumulate(s.begin(), s.end(), 0.0);
  }
  return ratio(overhead, all);
}

// The share of the traced iterations of all packs that ranks spent in one activity.
template <Activity activity>
Value share(const Result& r) {
  double inside = 0, all = 0;
  for (const PackResult& p : r.packs) {
    double end = 0;
    for (const Event& e : p.timeline.events) {
      end = std::max(end, e.end_seconds);
      if (e.activity == activity) inside += p.layers * (e.end_seconds - e.start_seconds);
    }
    all += p.layers * end * p.timeline.ranks;
  }
  return ratio(inside, all);
}

Value simulation_seconds(const Result& r) {
  return r.simulated && ran(r) ? sum(r, &PackResult::simulation_seconds) : std::nullopt;
}

Value wire_bytes_bound(const Result& r) {
  return sum(r, [&](const PackResult& p) {
    Problem problem{p.batch, r.spec.shape, {.nodes = r.spec.nodes}};
    problem.cluster.gpus_per_node = r.spec.ranks / r.spec.nodes;
    return lower_bounds(problem, r.spec.passes, p.plan.gradient_wire).wire_bytes;
  });
}

Value flops_per_second_per_rank(const Result& r) {
  const Value seconds = iteration_seconds(r);
  const Value rate = seconds ? ratio(*attention_flops(r), *seconds) : std::nullopt;
  return rate ? Value(*rate / r.spec.ranks) : std::nullopt;
}
Value tflops_per_rank(const Result& r) {
  const Value rate = flops_per_second_per_rank(r);
  return rate ? Value(*rate / 1e12) : std::nullopt;
}
Value tflops_per_rank_mean(const Result& r) {
  if (!ran(r)) return std::nullopt;
  double rates = 0, weights = 0;
  for (const PackResult& p : r.packs) {
    const double seconds = seconds_of(p);
    if (seconds <= 0) return std::nullopt;
    rates += p.layers * flops(r, p) / seconds / r.spec.ranks / 1e12;
    weights += p.layers;
  }
  return rates / weights;
}
Value tokens_per_second(const Result& r) {
  const Value seconds = iteration_seconds(r);
  if (!seconds) return std::nullopt;
  return ratio(*sum(r, [](const PackResult& p) { return p.batch.new_tokens(); }), *seconds);
}
Value mfu(const Result& r) {
  const Value rate = flops_per_second_per_rank(r);
  return rate && !r.oversubscribed ? ratio(*rate, r.peak_flops_per_second) : std::nullopt;
}

// Projections and FFN count if the iteration has them.
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
    layer +=
        p.layers * layer_flops_per_token(r.spec.shape) * static_cast<double>(p.batch.new_tokens());
  }
  if (both(r)) layer *= 1 + kBackwardLayerFlopsOverForward;
  return *attention * (1 + layer / *attention_flops(r));
}

template <double TimeParts::*part>
Value time_part(const Result& r) {
  const std::optional<TimeParts> parts = attribute_time(r);
  return parts ? Value((*parts).*part) : std::nullopt;
}

Value overlap(const Result& r) {
  const std::optional<TimeParts> parts = attribute_time(r);
  return parts ? parts->overlap() : std::nullopt;
}

Value worst(const Result& r, double Accuracy::*field) {
  if (!ran(r) || r.simulated) return std::nullopt;  // a simulation computes no tensor
  double largest = 0;
  for (const PackResult& p : r.packs) {
    const double error = p.timeline.accuracy.*field;
    if (!(error <= largest)) largest = error;  // a NaN becomes the largest and stays
  }
  return largest;
}
Value max_error_output(const Result& r) { return worst(r, &Accuracy::max_error_output); }
Value max_error_gradient(const Result& r) {
  return both(r) ? worst(r, &Accuracy::max_error_gradient) : std::nullopt;
}

// How much larger than that of a single device in the same dtype; the packs' largest ones.
Value error_ratio(const Result& r, double Accuracy::*error, double Accuracy::*plain) {
  const Value own = worst(r, error), single = worst(r, plain);
  return own && *single > 0 ? Value(*own / *single) : std::nullopt;  // float64: there is none
}
Value output_error_ratio(const Result& r) {
  return error_ratio(r, &Accuracy::max_error_output, &Accuracy::plain_error_output);
}
Value gradient_error_ratio(const Result& r) {
  return both(r) ? error_ratio(r, &Accuracy::max_error_gradient, &Accuracy::plain_error_gradient)
                 : std::nullopt;
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table = {
      {"mfu", "1", "higher",
       "attention FLOPs divided by ranks x peak x iteration_seconds; on threads the peak is that "
       "measured on a core, and there is no MFU with more ranks than cores",
       mfu},
      {"module_mfu", "1", "higher",
       "mfu including the FLOPs of projections and FFN (backward 2 times forward), if there are "
       "any",
       module_mfu},
      {"tflops_per_rank", "TFLOP/s", "higher",
       "sum of attention FLOPs divided by sum of time, per rank", tflops_per_rank},
      {"tflops_per_rank_mean", "TFLOP/s", "higher",
       "mean over packs of attention FLOPs divided by the median time, per rank",
       tflops_per_rank_mean},
      {"throughput", "tokens/s", "higher",
       "tokens of all packs, without cached ones, divided by iteration_seconds", tokens_per_second},
      {"iteration_seconds", "s", "lower",
       "median over iterations of the maximum over ranks, summed over packs", iteration_seconds},
      {"iteration_seconds_low", "s", "none",
       "lower end of the 95% interval of iteration_seconds (order statistics, 6 iterations or "
       "more)",
       iteration_seconds_low},
      {"iteration_seconds_high", "s", "none", "upper end of the 95% interval of iteration_seconds",
       iteration_seconds_high},
      {"pack_seconds_low", "s", "none",
       "of several packs, the time of the fastest: median over iterations of the maximum over "
       "ranks",
       pack_seconds_low},
      {"pack_seconds_high", "s", "none", "of several packs, the time of the slowest",
       pack_seconds_high},
      {"throttled_share", "1", "lower",
       "share of samples in which a GPU ran below 0.75 of its highest clock; they do not count, "
       "unless all did",
       throttled_share},
      {"attention_seconds", "s", "lower",
       "time inside kernel calls: median over iterations of the maximum over ranks, summed over "
       "packs; with --graph on, of iterations that are no graphs",
       attention_seconds},
      {"attention_share", "1", "higher", "share of the time of all ranks in kernel calls",
       share<Activity::attention>},
      {"merge_share", "1", "lower", "share of the time of all ranks in merging partial results",
       share<Activity::merge>},
      {"copy_share", "1", "lower",
       "share of the time of all ranks in packing and unpacking buffers", share<Activity::copy>},
      {"send_share", "1", "lower",
       "share of the time of all ranks in handing bytes to the transport", share<Activity::send>},
      {"wait_share", "1", "lower",
       "share of the time of all ranks in waiting for arrivals (exposed communication and "
       "imbalance)",
       share<Activity::wait>},
      {"overhead_share", "1", "lower",
       "share of the time outside kernels, merges, copies, sends and waits: the harness itself; "
       "not with --graph on",
       overhead_share},
      {"time_total", "s", "lower",
       "the sum over packs of the median iteration; the other time_* are parts that sum to it "
       "(attribution.h)",
       time_part<&TimeParts::total>, 2},
      {"time_ideal", "s", "none", "attention FLOPs divided by ranks x peak",
       time_part<&TimeParts::ideal>, 2},
      {"time_kernel_inefficiency", "s", "lower",
       "mean over ranks of the time in kernel calls, minus time_ideal",
       time_part<&TimeParts::kernel_inefficiency>, 2},
      {"time_imbalance", "s", "lower",
       "waiting for the work of other ranks: compute_only_seconds minus what a mean rank does in "
       "it",
       time_part<&TimeParts::imbalance>, 2},
      {"time_exposed_communication", "s", "lower",
       "time_total minus compute_only_seconds, without padding",
       time_part<&TimeParts::exposed_communication>, 2},
      {"time_padding", "s", "lower", "exposed communication of the padding of collectives",
       time_part<&TimeParts::padding>, 2},
      {"time_copies", "s", "lower", "packing, unpacking and merging, mean over ranks",
       time_part<&TimeParts::copies>, 2},
      {"time_layer", "s", "none", "projections and FFN, mean over ranks",
       time_part<&TimeParts::layer>, 2},
      {"time_host", "s", "lower",
       "simulated: a GPU waits for its host to launch work, mean over ranks",
       time_part<&TimeParts::host>},
      {"time_other", "s", "lower", "the rest: the harness itself", time_part<&TimeParts::other>, 2},
      {"compute_only_seconds", "s", "none",
       "an iteration in which exchanges take no time; ranks still wait for the work of others",
       time_part<&TimeParts::compute_only>},
      {"exchange_only_seconds", "s", "none", "an iteration in which only exchanges take time",
       time_part<&TimeParts::exchange_only>},
      {"overlap", "1", "higher",
       "(compute_only_seconds + exchange_only_seconds - time_total) divided by the smaller of the "
       "two: how much of it is hidden",
       overlap},
      {"attention_flops", "FLOP", "none", kFlopConvention, attention_flops},
      {"useful_bytes", "bytes", "lower",
       "distinct data that ranks attend to and whose home is another rank", sum_of<useful>},
      {"wire_bytes", "bytes", "lower",
       "planned bytes on the wire, including padding and duplicates", sum_of<wire>},
      {"wire_bytes_bound", "bytes", "none",
       "lower bound for plans whose ranks own at most ceil(T / N) tokens (bounds.h)",
       wire_bytes_bound},
      {"counted_bytes", "bytes", "lower", "bytes that the transport counted in one iteration",
       sum_if_ran<counted_bytes>},
      {"forward_wire_bytes", "bytes", "lower", "wire_bytes of the forward pass",
       sum_of<forward_wire>},
      {"backward_wire_bytes", "bytes", "lower", "wire_bytes of the backward pass",
       backward_wire_bytes},
      {"inter_node_bytes", "bytes", "lower", "the part of wire_bytes that crosses nodes",
       sum_of<inter_node>},
      {"critical_bytes", "bytes", "lower",
       "maximum over ranks of max(bytes in, bytes out), summed over passes",
       sum_of<critical_of_both>},
      {"communication_saving", "1", "higher",
       "1 - wire_bytes / bytes of gathering all KV on every rank (and reducing all dKV)",
       communication_saving},
      {"compute_imbalance", "1", "lower",
       "maximum / mean over ranks of attended (query, key, head) pairs", imbalance<pairs>},
      {"token_imbalance", "1", "lower", "maximum / mean over ranks of owned tokens",
       imbalance<tokens>},
      {"bytes_in_imbalance", "1", "lower", "maximum / mean over ranks of bytes received",
       imbalance<by_rank<&PassSummary::bytes_in>>},
      {"bytes_out_imbalance", "1", "lower", "maximum / mean over ranks of bytes sent",
       imbalance<by_rank<&PassSummary::bytes_out>>},
      {"steps", "1", "lower", "steps of the plan, both passes", sum_of<steps>},
      {"planned_sends", "1", "lower", "sends of the plan (a multicast or reduction is one)",
       sum_of<sends>},
      {"communicators", "1", "none",
       "distinct sets of ranks that exchange data with one another, over all packs", communicators},
      {"communicator_seconds", "s", "lower",
       "time to create a communicator for each of these sets, on the slowest rank, over all packs",
       communicator_seconds},
      {"group_changes", "1", "none",
       "such sets, from pack to pack, in which some rank was in another set before", group_changes},
      {"counted_messages", "1", "lower", "messages that the transport counted in one iteration",
       sum_if_ran<counted_messages>},
      {"peak_bytes", "bytes", "lower",
       "planned peak memory of the rank that needs most; with --layer module or layer also the "
       "layer's weights, their gradients and activations",
       largest<planned_peak>},
      {"measured_peak_bytes", "bytes", "lower",
       "peak of the buffers in use, with those of a layer that runs, on the rank that needs most",
       measured_peak_bytes},
      {"planning_seconds", "s", "lower",
       "CPU time of the strategy; for exec:PROGRAM wall-clock time",
       sum_of<&PackResult::planning_seconds>},
      {"check_seconds", "s", "lower", "time of the plan checker",
       sum_of<&PackResult::check_seconds>},
      {"compile_seconds", "s", "lower", "time from plan to program",
       sum_if_ran<&PackResult::compile_seconds>},
      {"simulation_seconds", "s", "lower",
       "CPU time that simulating the program took, without another program's (cpbench-simgrid)",
       simulation_seconds},
      {"max_error_output", "1", "lower",
       "largest absolute error of the output against the single-device reference",
       max_error_output},
      {"max_error_gradient", "1", "lower",
       "largest absolute error of dQ, dK, dV against the single-device reference",
       max_error_gradient},
      {"output_error_ratio", "1", "lower",
       "max_error_output divided by that of a plain run on a single device in the same dtype; not "
       "of float64, which is the reference",
       output_error_ratio},
      {"gradient_error_ratio", "1", "lower", "the same for max_error_gradient",
       gradient_error_ratio},
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
