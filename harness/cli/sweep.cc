#include "harness/cli/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

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

}  // namespace

std::string result_path(const Cell& cell, const std::string& folder) {
  return (fs::path(folder) / result_file_name(cell)).string();
}

std::vector<Outcome> run_sweep(const std::vector<Cell>& cells, const SweepOptions& options) {
  require_writable(options.folder);
  std::vector<std::optional<Outcome>> found;
  for (const Cell& cell : cells) {
    found.push_back(existing(cell, result_path(cell, options.folder)));
  }
  const size_t to_run = std::count(found.begin(), found.end(), std::nullopt);
  size_t finished = cells.size() - to_run;
  const auto standing = [&] {
    return fmt::format("{} of {} cells are finished and kept in {}; resume with: {}", finished,
                       cells.size(), options.folder, shell_text(options.command_line));
  };
  // When one process dies, the launcher interrupts the others: say what this one was waiting for.
  ProcessGroup* group = options.processes ? &options.processes->group() : nullptr;
  Interrupt interrupt([&] { return (group ? group->place() + "; " : "") + standing(); });
  Progress progress(to_run);
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (found[i]) {
      outcomes.push_back(std::move(*found[i]));
      continue;
    }
    progress.start(words_of(cell));
    const std::vector<Batch> batches = batches_of(cell);
    if (needs_processes(cell)) options.processes->start(i);
    const Result result = run_cell(cell, batches, options.command_line, group);
    const std::string file = result_path(cell, options.folder);
    {
      const auto guard = interrupt.hold();
      write_result(file, result);
      ++finished;
    }
    outcomes.push_back(outcome_of(result, file, false));
    if (result.status != Status::ok) {
      progress.say(
          fmt::format("cpbench: {}: {}: {}", name_of(result.status), words_of(cell), result.error));
    }
    if (group && group->broken()) options.processes->abort(standing());
  }
  progress.finish();
  return outcomes;
}

std::vector<Outcome> dry_run(const std::vector<Cell>& cells, const SweepOptions& options) {
  std::vector<Outcome> outcomes;
  for (const Cell& cell : cells) {
    Cell planned = cell;
    planned.backend = "plan";
    const std::string file = result_path(cell, options.folder);
    Outcome outcome =
        outcome_of(run_cell(planned, batches_of(cell), options.command_line), file, false);
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
