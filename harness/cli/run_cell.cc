#include "harness/cli/run_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <new>
#include <optional>
#include <thread>

#include "harness/cli/backends.h"
#include "harness/cli/gpu_cells.h"
#include "harness/cli/parameters.h"
#include "harness/cli/simulate_pack.h"
#include "harness/compile/compile.h"
#include "harness/execute/execute_processes.h"
#include "harness/measure/gates.h"
#include "harness/measure/metrics.h"
#include "harness/measure/text_hash.h"
#include "harness/plan/errors.h"
#include "harness/store/external.h"
#include "harness/store/provenance.h"
#include "harness/strategy/strategy.h"
#include "workloads/clusters.h"
#include "workloads/workload.h"

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

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Plan make_plan(const Cell& cell, const Problem& problem) {
  if (is_external(cell.strategy)) {
    return external_plan(cell.strategy.substr(cell.strategy.find(':') + 1), problem);
  }
  const Strategy& strategy = find_strategy(cell.strategy);
  return strategy.plan(problem, Options(strategy.name, strategy.options, cell.options));
}

void execute_pack(const Cell& cell, const Batch& batch, PackResult& pack,
                  const RunContext& context) {
  const Problem problem = problem_of(cell, batch);
  const Stopwatch stopwatch;
  const Program program = compile(problem, pack.plan, cell.passes, backend_of(cell).collectives);
  pack.compile_seconds = stopwatch.seconds();
  ExecuteOptions options;
  options.passes = cell.passes;
  options.kernel = cell.kernel;
  options.warmup = cell.warmup;
  options.iterations = cell.iterations;
  options.seed = cell.seed;
  options.graph = cell.graph;
  options.timeout_seconds = context.timeout_seconds;
  if (backend_of(cell).on_gpus) {
    const auto transport = cell.backend == "nccl" ? GpuTransport::nccl : GpuTransport::copies;
    pack.timeline = execute_gpus(problem, pack.plan, program, options, transport,
                                 ranks_here(cell, context.group), context.group);
  } else {
    pack.timeline = needs_processes(cell)
                        ? execute_processes(problem, program, options, *context.group)
                        : execute_threads(problem, program, options);
  }
}

void fail(Result& result, Status status, const std::string& why) {
  result.status = status;
  result.error = why;
  std::replace(result.error.begin(), result.error.end(), '\n', ' ');
}

// Every process has made the plan by itself: ranks that ran different ones would wait for ever.
void require_same(const PackResult& pack, ProcessGroup& group) {
  std::string lengths;
  for (int64_t length : pack.batch.document_lengths) lengths += std::to_string(length) + " ";
  group.agree("hash of the document lengths", hex16(hash_of_text(lengths)));
  group.agree("hash of the plan", hex16(hash_of(pack.plan)));
}

// Nothing is costed on GPUs that could not hold it. A run on CPUs shows by itself what it needs.
bool fits_memory(Result& result, const PackResult& pack) {
  const double memory = result.cluster.memory_bytes;
  if (is_timed(result.cell) || memory <= 0) return true;
  const std::vector<int64_t>& peaks = pack.facts.peak_bytes;
  const auto most = std::max_element(peaks.begin(), peaks.end());
  if (static_cast<double>(*most) <= memory) return true;
  fail(result, Status::oom,
       fmt::format("rank {} needs {:.4g} GB and a GPU of {} has {:.4g} GB", most - peaks.begin(),
                   static_cast<double>(*most) / 1e9, result.cell.cluster, memory / 1e9));
  return false;
}

// What some backends need: those that cost their models, those of several processes their group.
struct Means {
  const Simulation* simulation = nullptr;
  const RunContext& context;
};

// False when the cell ended here.
bool run_pack(Result& result, const Batch& batch, const Means& means) {
  CheckedPlan checked = plan_pack(result.cell, batch);
  if (needs_processes(result.cell)) require_same(checked.pack, *means.context.group);
  result.packs.push_back(std::move(checked.pack));
  if (!checked.report.ok()) {
    fail(result, Status::failed,
         "the plan of " + result.cell.strategy +
             " is wrong: " + checked.report.violations.front().text());
    return false;
  }
  PackResult& pack = result.packs.back();
  if (!fits_memory(result, pack)) return false;
  if (is_timed(result.cell)) execute_pack(result.cell, batch, pack, means.context);
  if (means.simulation) {
    means.simulation->run(problem_of(result.cell, batch), result.cell.passes, pack);
  }
  return true;
}

// The share of each document, rounded down, but at least one token of each is new.
void set_cached(Batch& batch, double share) {
  for (int64_t length : batch.document_lengths) {
    const auto tokens = static_cast<int64_t>(share * static_cast<double>(length));
    batch.cached_tokens.push_back(std::min(tokens, length - 1));
  }
}

}  // namespace

bool needs_processes(const Cell& cell) {
  return cell.backend == "mpi" || (cell.backend == "nccl" && launched_for_gpus());
}

bool is_timed(const Cell& cell) { return backend_of(cell).runs; }

bool is_oversubscribed(const Cell& cell, int32_t ranks_on_node) {
  if (!is_timed(cell)) return false;
  if (!backend_of(cell).on_gpus) return ranks_on_node > usable_cores();
  return ranks_on_node > std::ssize(open_gpus().all());
}

double peak_of(const Cell& cell) {
  return backend_of(cell).on_gpus ? gpu_peak_flops_per_second()
                                  : core_peak_flops_per_second(cell.shape.dtype);
}

int32_t usable_cores() {
  return static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
}

std::vector<Batch> batches_of(const Cell& cell) {
  PackingOptions options;
  options.tokens = cell.tokens;
  options.packs = cell.packs;
  options.seed = cell.seed;
  options.policy = cell.packing;
  std::vector<Batch> batches = make_packs(*find_workload(cell.workload), options);
  for (Batch& batch : batches) {
    batch.mask = cell.mask;
    batch.window = cell.window;
    if (cell.cached > 0) set_cached(batch, cell.cached);
  }
  return batches;
}

Cluster cluster_of(const Cell& cell) {
  if (!cell.cluster.empty()) {
    return machine_of(find_cluster(cell.cluster), cell.ranks, cell.nodes).cluster;
  }
  return {.nodes = cell.nodes, .gpus_per_node = cell.ranks / cell.nodes};
}

Problem problem_of(const Cell& cell, const Batch& batch) {
  Problem problem;
  problem.batch = batch;
  problem.shape = cell.shape;
  problem.cluster = cluster_of(cell);
  validate(problem);
  return problem;
}

CheckedPlan plan_pack(const Cell& cell, const Batch& batch) {
  const Problem problem = problem_of(cell, batch);
  CheckedPlan checked;
  PackResult& pack = checked.pack;
  pack.batch = batch;
  // A strategy is one thread's work: what runs beside it, or holds a library that it waits for,
  // does not count. An external planner is another process.
  const Stopwatch planning;
  const double computed_before = thread_seconds();
  pack.plan = make_plan(cell, problem);
  pack.planning_seconds =
      is_external(cell.strategy) ? planning.seconds() : thread_seconds() - computed_before;
  const Stopwatch checking;
  checked.report = check(problem, pack.plan, cell.passes);
  pack.check_seconds = checking.seconds();
  if (checked.report.ok()) {
    pack.facts = facts_of(problem, pack.plan, checked.report, cell.passes);
  }
  return checked;
}

Result run_cell(const Cell& cell, const std::vector<Batch>& batches, const RunContext& context) {
  ProcessGroup* const group = context.group;
  Result result;
  result.cell = cell;
  const bool processes = needs_processes(cell);
  const int32_t ranks_on_node = processes ? group->wire().ranks_on_node() : cell.ranks;
  result.simulated = backend_of(cell).costs;
  const auto start = std::chrono::system_clock::now();
  try {
    result.oversubscribed = is_oversubscribed(cell, ranks_on_node);
    if (!cell.cluster.empty()) result.cluster = cluster_of(cell);
    std::optional<Simulation> simulation;
    if (backend_of(cell).costs) {
      simulation.emplace(cell);
      result.model = simulation->fingerprint();
      result.model_error = simulation->model_error();
      result.peak_flops_per_second = simulation->peak_flops_per_second();
    }
    const Means means{simulation ? &*simulation : nullptr, context};
    bool whole = true;
    const auto work = [&] {
      if (is_timed(cell) && !result.oversubscribed) {
        result.peak_flops_per_second = peak_of(cell);
      }
      for (const Batch& batch : batches) whole = whole && run_pack(result, batch, means);
    };
    if (processes) {
      group->together(work);
    } else {
      work();
    }
    if (whole) {
      result.metrics = evaluate_metrics(result);
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
  if (processes) result.provenance["mpi"] = group->wire().library();
  if (backend_of(cell).on_gpus) result.provenance.merge(gpu_facts());
  return result;
}

void follow_cell(const Cell& cell, const RunContext& context) {
  context.group->together([&] {
    Result result;
    result.cell = cell;
    const Means means{.context = context};
    bool whole = true;
    for (const Batch& batch : batches_of(cell)) whole = whole && run_pack(result, batch, means);
  });
}

}  // namespace cpbench
