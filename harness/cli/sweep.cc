#include "harness/cli/sweep.h"

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
#include <thread>

#include "harness/cli/interrupt.h"
#include "harness/cli/parameters.h"
#include "harness/cli/progress.h"
#include "harness/cli/run_cell.h"
#include "harness/cli/simulate_pack.h"
#include "harness/execute/execute.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

// Fails before anything runs, not after the first cell.
void require_writable(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw UserError(folder + ": cannot make the output folder: " + error.message());
  std::string probe = folder + "/.probe-XXXXXX";
  const int file = mkstemp(probe.data());
  if (file < 0) {
    throw UserError(folder + ": cannot write to the output folder: " + std::strerror(errno));
  }
  close(file);
  unlink(probe.c_str());
}

bool same_packs(const Result& result, const std::vector<Batch>& batches) {
  return result.packs.size() == batches.size() &&
         std::equal(batches.begin(), batches.end(), result.packs.begin(),
                    [](const Batch& batch, const PackResult& pack) { return batch == pack.batch; });
}

// The outcome of an earlier, finished run of this cell. A failed run is tried again, and so is one
// of a file of lengths, a cluster or a kernel model that has changed since.
std::optional<Outcome> existing(const Cell& cell, const std::string& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    const Result result = read_result(file);
    if (run_id(result.cell) != run_id(cell) || result.status == Status::failed) return std::nullopt;
    if (result.status == Status::ok && !same_packs(result, batches_of(cell))) return std::nullopt;
    if (result.simulated && result.model != Simulation(cell).fingerprint()) return std::nullopt;
    return outcome_of(result, file, true);
  } catch (const UserError& error) {
    fmt::print(stderr, "cpbench: warning: {}; the cell is run again\n", error.what());
    return std::nullopt;
  }
}

std::string words_of(const Cell& cell) {
  std::string text = cell.strategy;
  if (!cell.options.empty()) text += ":" + options_text(cell.options);
  return fmt::format("{} {}, {} tokens, {} ranks", text, cell.workload,
                     find_parameter("tokens")->get(cell), cell.ranks);
}

// What a cell costs beside others of its sweep: planning and simulating grow with tokens and ranks,
// running with tokens and iterations, so the time left counts large cells for more.
double expected_work(const Cell& cell) {
  constexpr double kPlanning = 1;  // iterations that planning and checking are worth
  return (kPlanning + cell.warmup + cell.iterations) * cell.packs *
         static_cast<double>(cell.tokens) * cell.ranks;
}

// A plan or a simulation is one thread's work and leaves no trace outside its file. Everything else
// gets the machine for itself: its times are the result, or (an external planner) it is a process
// that an interrupt must find in one place.
bool runs_beside_others(const Cell& cell) {
  return (cell.backend == "plan" || cell.backend == "simulate") && !is_external(cell.strategy);
}

// Calls `work` with each of `items`, begun in their order, on so many threads. The first exception
// is thrown when all that had begun are done; the rest does not begin.
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

}  // namespace

std::string result_path(const Cell& cell, const std::string& folder) {
  return (fs::path(folder) / result_file_name(cell)).string();
}

std::vector<Outcome> run_sweep(const std::vector<Cell>& cells, const SweepOptions& options) {
  require_writable(options.folder);
  std::vector<std::optional<Outcome>> found;
  double work = 0;
  for (const Cell& cell : cells) {
    found.push_back(existing(cell, result_path(cell, options.folder)));
    if (!found.back()) work += expected_work(cell);
  }
  std::vector<size_t> beside, alone;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!found[i]) (runs_beside_others(cells[i]) ? beside : alone).push_back(i);
  }
  size_t finished = cells.size() - beside.size() - alone.size();
  const auto standing = [&] {
    return fmt::format("{} of {} cells are finished and kept in {}; resume with: {}", finished,
                       cells.size(), options.folder, shell_text(options.command_line));
  };
  // When one process dies, the launcher interrupts the others: say what this one was waiting for.
  ProcessGroup* group = options.processes ? &options.processes->group() : nullptr;
  Interrupt interrupt([&] { return (group ? group->place() + "; " : "") + standing(); });
  Progress progress(beside.size() + alone.size(), work);
  // `hold` is also what keeps apart the threads: progress and the library of the files know none.
  const auto run = [&](size_t i) {
    const Cell& cell = cells[i];
    {
      const auto guard = interrupt.hold();
      progress.start(words_of(cell));
    }
    const std::vector<Batch> batches = batches_of(cell);
    if (needs_processes(cell)) options.processes->start(i);
    const Result result =
        run_cell(cell, batches, {options.command_line, group, options.timeout_seconds});
    const std::string file = result_path(cell, options.folder);
    const auto guard = interrupt.hold();
    write_result(file, result);
    ++finished;
    progress.done(expected_work(cell));
    found[i] = outcome_of(result, file, false);
    if (result.status != Status::ok) {
      progress.say(
          fmt::format("cpbench: {}: {}: {}", name_of(result.status), words_of(cell), result.error));
    }
    if (group && group->broken()) options.processes->abort(standing());
  };
  for_each(beside, usable_cores(), run);
  for_each(alone, 1, run);  // on this thread: MPI is used by one alone
  progress.finish();
  std::vector<Outcome> outcomes;
  for (std::optional<Outcome>& outcome : found) outcomes.push_back(std::move(*outcome));
  return outcomes;
}

std::vector<Outcome> dry_run(const std::vector<Cell>& cells, const SweepOptions& options) {
  std::vector<Outcome> outcomes;
  for (const Cell& cell : cells) {
    Cell planned = cell;
    planned.backend = "plan";
    const std::string file = result_path(cell, options.folder);
    Outcome outcome =
        outcome_of(run_cell(planned, batches_of(cell), {options.command_line}), file, false);
    outcome.cell = cell;
    outcome.existed = existing(cell, file).has_value();
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

double estimated_seconds(const std::vector<Outcome>& outcomes) {
  constexpr double kShareOfPeak = 0.5;
  constexpr double kVerifications = 2;  // the reference, and the plain run of a rounded dtype
  double seconds = 0;
  for (const Outcome& outcome : outcomes) {
    const Cell& cell = outcome.cell;
    if (outcome.existed || !is_timed(cell) || outcome.status != Status::ok) continue;
    for (const MetricValue& metric : outcome.metrics) {
      if (metric.name != "attention_flops") continue;
      const double iterations = cell.warmup + cell.iterations + kVerifications;
      const int32_t cores = std::min(cell.ranks, usable_cores());
      const double rate = core_peak_flops_per_second(cell.shape.dtype) * kShareOfPeak * cores;
      seconds += metric.value * iterations / rate;
    }
  }
  return seconds;
}

}  // namespace cpbench
