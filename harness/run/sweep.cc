#include "harness/run/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "harness/execute/execute.h"
#include "harness/measure/flops.h"
#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "harness/plan/thread_seconds.h"
#include "harness/run/choices.h"
#include "harness/run/machine_here.h"
#include "harness/run/progress.h"
#include "harness/run/room.h"
#include "harness/run/run_job.h"
#include "harness/store/atomic_file.h"
#include "harness/store/result_file.h"
#include "harness/store/shell_text.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

// Fails before anything runs, not after the first run.
void require_writable(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw UserError(folder + ": cannot make the output folder: " + error.message());
  std::string probe = temporary_name(folder + "/probe");
  const int file = mkstemp(probe.data());
  if (file < 0) {
    throw UserError(folder + ": cannot write to the output folder: " + std::strerror(errno));
  }
  close(file);
  unlink(probe.c_str());
  remove_abandoned(folder);
}

std::string result_path(const RunSpec& spec, const std::string& folder) {
  return (fs::path(folder) / result_file_name(spec)).string();
}

// The outcome of an earlier, finished run of the same spec. A failed run is tried again.
std::optional<Outcome> existing(const RunSpec& spec, const std::string& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  try {
    const Result result = read_result_head(file);
    if (result.spec != spec || result.status == Status::failed) return std::nullopt;
    return outcome_of(result, file, true);
  } catch (const UserError& damage) {
    fmt::print(stderr, "cpbench: warning: {}; the run is repeated\n", damage.what());
    return std::nullopt;
  }
}

std::string words_of(const RunSpec& spec) {
  return fmt::format("{} {}, {} tokens, {} ranks", strategy_text(spec), spec.workload,
                     size_text(spec.tokens), spec.ranks);
}

// A plan or a simulation is one thread's work and leaves no trace outside its file. Everything else
// gets the machine for itself: its times are the result, or (an external planner) it is a process
// that an interrupt must find in one place.
bool may_share_the_machine(const Job& job) {
  return !job.backend->runs && !job.backend->on_gpus && !is_external(job.spec.strategy);
}

// To write a result file: CPU time of small ones, mostly of the HDF5 library.
constexpr double kFileSeconds = 0.02;

// Calls `work` with each of `items`, started in their order, on `threads` threads. The first
// exception is thrown when all that had started are done; the rest does not start.
void for_each(const std::vector<size_t>& items, int32_t threads,
              const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::mutex failing;
  std::exception_ptr failure;
  const auto run = [&] {
    for (size_t i = next++; i < items.size(); i = next++) {
      try {
        work(items[i]);
      } catch (...) {
        const std::lock_guard guard(failing);
        if (!failure) failure = std::current_exception();
        next = items.size();
      }
    }
  };
  std::vector<std::thread> helpers;
  const size_t wanted = std::min(static_cast<size_t>(threads), items.size());
  for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(run);
  run();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

// Of the layer around the attention, if the run executes it.
double layer_flops(const RunSpec& spec) {
  if (spec.layer.empty()) return 0;
  const double passes = spec.passes == Passes::both ? 1 + kBackwardLayerFlopsOverForward : 1;
  return passes * layer_flops_per_token(spec.shape) *
         static_cast<double>(spec.tokens * int64_t{spec.packs});
}

}  // namespace

std::string resume_text(const std::vector<std::string>& command_line) {
  return "resume with: " + shell_text(command_line);
}

double expected_work(const Job& job) {
  constexpr double kPlanning = 1;  // iterations that planning and checking are worth
  constexpr double kFile = 2e7;
  const RunSpec& spec = job.spec;
  return (kPlanning + spec.warmup + spec.iterations) * spec.packs *
             static_cast<double>(spec.tokens) * spec.ranks +
         (may_share_the_machine(job) ? kFile : 0);
}

double unfinished_work(const std::vector<Job>& jobs, const std::string& folder) {
  double work = 0;
  for (const Job& job : jobs) {
    if (!fs::exists(result_path(job.spec, folder))) work += expected_work(job);
  }
  return work;
}

std::vector<Outcome> run_sweep(const std::vector<Job>& jobs, const SweepOptions& options,
                               Interrupt& interrupt) {
  require_writable(options.folder);
  std::vector<std::optional<Outcome>> found;
  std::vector<size_t> shared, exclusive;
  double work = options.later_work;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const RunSpec& spec = jobs[i].spec;
    found.push_back(existing(spec, result_path(spec, options.folder)));
    if (found.back()) continue;
    work += expected_work(jobs[i]);
    (may_share_the_machine(jobs[i]) ? shared : exclusive).push_back(i);
  }
  size_t finished = jobs.size() - shared.size() - exclusive.size();
  const auto standing = [&] {
    return fmt::format("{} of {} runs are finished and kept in {}; {}", finished, jobs.size(),
                       options.folder, resume_text(options.command_line));
  };
  // When one process dies, the launcher interrupts the others: say what this one was waiting for.
  Processes* const processes = options.processes;
  const Interrupt::Message message(interrupt, [&] {
    return (processes ? processes->group().position() + "; " : "") + standing();
  });
  Progress progress(shared.size() + exclusive.size(), work, options.label);
  RunContext context{.command_line = options.command_line,
                     .timeout_seconds = options.timeout_seconds};
  if (processes) {
    context.group = &processes->group();
    context.gpus = processes->gpus();
  }
  // `hold` is also what keeps the threads apart: progress and the HDF5 library know none.
  const auto run = [&](size_t i) {
    const Job& job = jobs[i];
    {
      const auto guard = interrupt.hold();
      progress.start(words_of(job.spec));
    }
    if (job.in_processes) processes->start(i);
    const Result result = run_job(job, context);
    const std::string file = result_path(job.spec, options.folder);
    const auto guard = interrupt.hold();
    write_result(file, result);
    ++finished;
    progress.done(expected_work(job));
    found[i] = outcome_of(result, file, false);
    if (result.status != Status::ok && !options.quiet) {
      progress.say(fmt::format("cpbench: {}: {}: {}", name_of(result.status), words_of(job.spec),
                               result.error));
    }
    if (processes && processes->group().broken()) processes->abort(standing());
  };
  for_each(shared, usable_cores(), run);
  for_each(exclusive, 1, run);  // on this thread: MPI is used by one only
  progress.finish();
  std::vector<Outcome> outcomes;
  for (std::optional<Outcome>& outcome : found) outcomes.push_back(std::move(*outcome));
  return outcomes;
}

namespace {

// What `job` would be, from its plan alone.
Outcome outlook(const Job& job, const SweepOptions& options) {
  Job planned = job;
  planned.backend = &find_backend("plan");
  planned.in_processes = false;
  const double before = thread_seconds();
  Result result = run_job(planned, {options.command_line});
  double seconds = kFileSeconds + thread_seconds() - before;
  for (const PackResult& pack : result.packs) {
    if (!job.backend->simulates || result.status != Status::ok) break;
    const ExpectedCost cost = expected_cost(pack.plan, job.spec.passes);
    seconds += cost.seconds;
    result.error = no_room(cost, free_memory_bytes());
    if (!result.error.empty()) result.status = Status::oom;
  }
  Outcome outcome = outcome_of(result, result_path(job.spec, options.folder), false);
  outcome.core_seconds = seconds;
  return outcome;
}

}  // namespace

std::vector<Outcome> dry_run(const std::vector<Job>& jobs, const SweepOptions& options) {
  std::vector<Outcome> outcomes(jobs.size());
  std::vector<size_t> all(jobs.size());
  std::iota(all.begin(), all.end(), size_t{0});
  for_each(all, usable_cores(), [&](size_t i) { outcomes[i] = outlook(jobs[i], options); });
  // The HDF5 library knows no threads.
  for (size_t i : all) {
    outcomes[i].existed =
        existing(jobs[i].spec, result_path(jobs[i].spec, options.folder)).has_value();
  }
  return outcomes;
}

Estimate estimate(const std::vector<Outcome>& outcomes) {
  constexpr double kShareOfPeak = 0.5;
  constexpr double kVerifications = 2;  // the reference, and the plain run of a rounded dtype
  const std::optional<ClusterModel> gpus = machine_of_gpus(gpus_here());
  Estimate all;
  for (const Outcome& outcome : outcomes) {
    const RunSpec& spec = outcome.spec;
    const Backend& backend = find_backend(spec.backend);
    const double* flops = outcome.metric("attention_flops");
    if (outcome.existed) continue;
    all.seconds += outcome.core_seconds / (backend.runs ? 1 : usable_cores());
    if (!(backend.runs || backend.replays()) || flops == nullptr) continue;
    if (backend.on_gpus && !gpus) {
      ++all.unknown_runs;
      continue;
    }
    const double peak = backend.on_gpus ? gpus->cluster.peak_flops_per_second
                                        : core_peak_flops_per_second(spec.shape.dtype);
    const int32_t units = backend.replays() ? 1
                          : backend.on_gpus ? gpus->cluster.ranks()
                                            : usable_cores();
    const double iterations = spec.warmup + spec.iterations + kVerifications;
    all.seconds += (*flops + layer_flops(spec)) * iterations /
                   (peak * kShareOfPeak * std::min(spec.ranks, units));
  }
  return all;
}

}  // namespace cpbench
