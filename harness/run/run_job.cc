#include "harness/run/run_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <set>
#include <utility>

#include "harness/compile/compile.h"
#include "harness/execute/gpus/execute_gpus.h"
#include "harness/execute/layer.h"
#include "harness/execute/processes/execute_processes.h"
#include "harness/measure/communication_groups.h"
#include "harness/measure/gates.h"
#include "harness/measure/metrics.h"
#include "harness/plan/deadline.h"
#include "harness/plan/errors.h"
#include "harness/plan/mask_text.h"
#include "harness/plan/text_hash.h"
#include "harness/plan/thread_seconds.h"
#include "harness/run/choices.h"
#include "harness/run/gpu_jobs.h"
#include "harness/run/machine_here.h"
#include "harness/run/simulation.h"
#include "harness/store/external.h"
#include "harness/store/provenance.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A strategy is one thread's work, and that of its solvers: what runs at the same time, or holds a
// library that it waits for, does not count. An external planner is another process.
void make_plan(const RunSpec& spec, const Problem& problem, const Deadline& deadline,
               PackResult& pack) {
  if (is_external(spec.strategy)) {
    const Stopwatch planning;
    pack.plan = external_plan(planner_of(spec.strategy), spec.options, problem, deadline);
    pack.planning_seconds = planning.seconds();
    return;
  }
  const Strategy& strategy = find_strategy(spec.strategy);
  const Options options(strategy.name, all_options_of(strategy), spec.options);
  options.planning()->deadline = deadline;
  const double computed_before = thread_seconds();
  pack.plan = strategy.plan(problem, options);
  pack.planning_seconds = thread_seconds() - computed_before + options.planning()->child_seconds;
}

// An external planner reports nothing. Reporting repeats what planning decides, which is short
// compared with checking the plan.
std::vector<ReportedValue> properties_of(const RunSpec& spec, const Problem& problem) {
  if (is_external(spec.strategy)) return {};
  const Strategy& strategy = find_strategy(spec.strategy);
  if (strategy.report == nullptr) return {};
  return strategy.report(problem, Options(strategy.name, all_options_of(strategy), spec.options));
}

NcclOptions nccl_options(const RunSpec& spec) {
  return {spec.min_ctas, spec.max_ctas, spec.cta_policy};
}

RanksOfProcess ranks_here(const Job& job, const RunContext& context) {
  if (!job.in_processes) return all_ranks_here(job);
  return place_ranks(job.spec.ranks, job.spec.nodes, context.gpus).at(context.group->rank());
}

// Of the groups of ranks that exchange data for this pack and not for one before, where a library
// has communicators.
std::optional<double> communicator_seconds(const Job& job, const Plan& plan,
                                           const RunContext& context, std::set<RankGroup>& known) {
  const bool over_nccl = job.backend->runs && job.spec.backend == "nccl";  // a dry run is not
  if (!over_nccl && (!job.in_processes || job.backend->on_gpus)) return std::nullopt;
  std::vector<RankGroup> created;
  for (const RankGroup& group : communication_groups(plan, job.spec.passes)) {
    if (known.insert(group).second) created.push_back(group);
  }
  if (!over_nccl) return context.group->communicator_seconds(created);
  return open_gpus().communicator_seconds(
      {job.spec.ranks, ranks_here(job, context), nccl_options(job.spec)},
      job.in_processes ? context.group : nullptr, created, context.timeout_seconds);
}

void execute_pack(const Job& job, const Problem& problem, PackResult& pack,
                  const RunContext& context) {
  const RunSpec& spec = job.spec;
  Problem executed = problem;
  executed.shape = job.computed_shape();
  const Stopwatch stopwatch;
  const Program program = compile(executed, pack.plan, spec.passes, job.backend->collectives);
  pack.compile_seconds = stopwatch.seconds();
  const ExecuteOptions options{.passes = spec.passes,
                               .kernel = spec.kernel,
                               .warmup = spec.warmup,
                               .iterations = spec.iterations,
                               .timeout_seconds = context.timeout_seconds,
                               .seed = spec.seed,
                               .graph = spec.graph,
                               .sm_margin = spec.sm_margin,
                               .nccl = nccl_options(spec),
                               .portions = true};
  if (job.backend->on_gpus) {
    const auto transport = spec.backend == "nccl" ? GpuTransport::nccl : GpuTransport::copies;
    pack.timeline =
        execute_gpus(executed, pack.plan, program, options, transport, ranks_here(job, context),
                     job.in_processes ? context.group : nullptr);
  } else {
    pack.timeline = job.in_processes ? execute_processes(executed, program, options, *context.group)
                                     : execute_threads(executed, program, options);
  }
}

void fail(Result& result, Status status, const std::string& why) {
  result.status = status;
  result.error = why;
  std::replace(result.error.begin(), result.error.end(), '\n', ' ');
}

// Simulations are not run on GPUs that could not hold them. A run on CPUs shows by itself what it
// needs.
bool fits_memory(const Job& job, const PackResult& pack, Result& result) {
  const double memory = result.cluster.memory_bytes;
  if (job.backend->runs || memory <= 0) return true;
  const std::vector<int64_t>& peaks = pack.summary.peak_bytes;
  const auto most = std::max_element(peaks.begin(), peaks.end());
  if (static_cast<double>(*most) <= memory) return true;
  fail(result, Status::oom,
       fmt::format("rank {} needs {:.4g} GB and a GPU of {} has {:.4g} GB", most - peaks.begin(),
                   static_cast<double>(*most) / 1e9, job.spec.cluster, memory / 1e9));
  return false;
}

void check_pack(const Job& job, const Problem& problem, double timeout_seconds,
                CheckedPlan& checked) {
  PackResult& pack = checked.pack;
  const Stopwatch checking;
  checked.report = check(problem, pack.plan, job.spec.passes, Deadline(timeout_seconds));
  pack.check_seconds = checking.seconds();
  if (!checked.report.ok()) return;
  pack.summary = summary_of(problem, pack.plan, checked.report, job.spec.passes);
  for (size_t rank = 0; rank < pack.summary.peak_bytes.size(); ++rank) {
    pack.summary.peak_bytes[rank] += planned_layer_bytes(
        job.computed_shape(), pack.summary.tokens_per_rank[rank], job.spec.passes);
  }
}

bool same_homes(const Plan& a, const Plan& b) {
  for (size_t r = 0; r < a.home.size(); ++r) {
    if (!std::ranges::equal(a.token_sets[a.home[r]], b.token_sets[b.home[r]])) return false;
  }
  return true;
}

// The plan of one more mask on the layout of `first`: the strategy's own for that mask if it has
// the same homes, otherwise `first`, which may attend more than the mask needs.
CheckedPlan plan_on_layout(const Job& job, const Problem& problem, const PackResult& first,
                           double timeout_seconds) {
  CheckedPlan checked = plan_pack(job, problem, timeout_seconds);
  if (!checked.report.ok() || same_homes(checked.pack.plan, first.plan)) return checked;
  checked.pack.plan = first.plan;
  checked.pack.properties = first.properties;
  check_pack(job, problem, timeout_seconds, checked);
  if (checked.report.ok()) return checked;
  throw Unsupported(fmt::format(
      "the layout for mask {} differs from that for {}, whose plan does not attend all pairs of "
      "{}; "
      "name the mask that sees most first",
      name_of(problem.batch.mask), name_of(first.batch.mask), name_of(problem.batch.mask)));
}

// `mask` counts the masks of one pack; `known` are groups of ranks of earlier packs. False when the
// run ended here.
bool run_pack(const Job& job, const Batch& batch, size_t mask, const RunContext& context,
              std::set<RankGroup>& known, Result& result) {
  const Problem problem = job.problem(batch);
  validate(problem);
  CheckedPlan checked = mask == 0
                            ? plan_pack(job, problem, context.timeout_seconds)
                            : plan_on_layout(job, problem, result.packs[result.packs.size() - mask],
                                             context.timeout_seconds);
  checked.pack.layers = static_cast<double>(job.masks[mask].layers);
  // Every process has made the plan by itself: ranks that ran different ones would wait for ever.
  if (job.in_processes) context.group->agree("hash of the plan", hex16(hash_of(checked.pack.plan)));
  result.packs.push_back(std::move(checked.pack));
  if (!checked.report.ok()) {
    fail(result, Status::failed,
         "the plan of " + job.spec.strategy +
             " is wrong: " + checked.report.violations.front().text());
    return false;
  }
  PackResult& pack = result.packs.back();
  if (!fits_memory(job, pack, result)) return false;
  pack.communicator_seconds = communicator_seconds(job, pack.plan, context, known);
  if (job.backend->runs) execute_pack(job, problem, pack, context);
  if (job.backend->simulates) simulate_pack(job, problem, pack);
  return true;
}

bool run_packs(const Job& job, const RunContext& context, Result& result) {
  std::set<RankGroup> known;  // for which an earlier pack made a communicator
  for (size_t i = 0; i < job.batches->size(); ++i) {
    if (!run_pack(job, (*job.batches)[i], i % job.masks.size(), context, known, result)) {
      return false;
    }
  }
  return true;
}

// The metrics of one layer of each mask: "wire_bytes@sliding_window:1K".
void add_metrics_of_masks(const Job& job, Result& result) {
  if (job.masks.size() == 1) return;
  std::vector<PackResult> packs = std::exchange(result.packs, {});
  Result part = result;  // without the plans
  for (size_t mask = 0; mask < job.masks.size(); ++mask) {
    const double layers = std::exchange(packs[mask].layers, 1);
    part.packs.clear();
    for (size_t i = mask; i < packs.size(); i += job.masks.size()) {
      packs[i].layers = 1;
      part.packs.push_back(std::move(packs[i]));
    }
    for (MetricValue& metric : evaluate_metrics(part)) {
      metric.name += "@" + mask_text(job.masks[mask].rule);
      result.metrics.push_back(std::move(metric));
    }
    for (size_t i = 0; i < part.packs.size(); ++i) {
      part.packs[i].layers = layers;
      packs[mask + i * job.masks.size()] = std::move(part.packs[i]);
    }
  }
  result.packs = std::move(packs);
}

bool is_oversubscribed(const Job& job, const RunContext& context) {
  if (!job.backend->runs) return false;
  const int32_t ranks_on_node =
      job.in_processes ? context.group->wire().ranks_on_node() : job.spec.ranks;
  return ranks_on_node >
         (job.backend->on_gpus ? std::ssize(open_gpus().all()) : int64_t{usable_cores()});
}

// Per rank; 0 where there is none to refer to.
double peak_of(const Job& job, bool oversubscribed) {
  if (job.backend->simulates) return job.machine->cluster.peak_flops_per_second;
  if (!job.backend->runs || oversubscribed) return 0;
  return job.backend->on_gpus ? gpu_peak_flops_per_second()
                              : core_peak_flops_per_second(job.spec.shape.dtype);
}

}  // namespace

CheckedPlan plan_pack(const Job& job, const Problem& problem, double timeout_seconds) {
  CheckedPlan checked;
  PackResult& pack = checked.pack;
  pack.batch = problem.batch;
  make_plan(job.spec, problem, Deadline(timeout_seconds), pack);
  check_pack(job, problem, timeout_seconds, checked);
  if (checked.report.ok()) pack.properties = properties_of(job.spec, problem);
  return checked;
}

Result run_job(const Job& job, const RunContext& context) {
  Result result;
  result.spec = job.spec;
  result.cluster = job.cluster();
  result.simulated = job.backend->simulates;
  const auto start = std::chrono::system_clock::now();
  try {
    result.oversubscribed = is_oversubscribed(job, context);
    if (result.simulated) {
      result.model = hex16(hash_of_text(model_text(job)));
      result.model_error = model_error(job);
    }
    bool completed = false;
    const auto work = [&] {
      result.peak_flops_per_second = peak_of(job, result.oversubscribed);
      completed = run_packs(job, context, result);
    };
    if (job.in_processes) {
      context.group->together(work);
    } else {
      work();
    }
    if (completed) {
      result.metrics = evaluate_metrics(result);
      add_metrics_of_masks(job, result);
      const std::string gate = failed_gate(result);
      if (!gate.empty()) fail(result, Status::failed, gate);
    }
  } catch (const RanksDisagree&) {
    throw;
  } catch (const Unsupported& reason) {
    fail(result, Status::unsupported, reason.what());
  } catch (const std::bad_alloc&) {
    fail(result, Status::oom, "out of memory");
  } catch (const DoesNotFit& reason) {
    fail(result, Status::oom, reason.what());
  } catch (const std::exception& error) {
    fail(result, Status::failed, error.what());
  }
  result.provenance = provenance(context.command_line, start, std::chrono::system_clock::now());
  if (job.in_processes) result.provenance["mpi"] = context.group->wire().library();
  if (job.backend->on_gpus) {
    for (const auto& [name, version] : open_gpus().versions()) result.provenance[name] = version;
    if (job.backend->runs && result.status == Status::ok) {
      result.provenance.merge(open_gpus().load_of_last_run());
    }
  }
  return result;
}

void follow_job(const Job& job, const RunContext& context) {
  context.group->together([&] {
    Result result;
    result.cluster = job.cluster();
    run_packs(job, context, result);
  });
}

}  // namespace cpbench
