#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/backends.h"
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/gpu_cells.h"
#include "harness/cli/parameters.h"
#include "harness/cli/run_cell.h"
#include "harness/cli/sweep.h"
#include "harness/plan/errors.h"
#include "harness/store/provenance.h"

namespace cpbench {

namespace {

constexpr const char* kRuns = "results/runs";

struct RunFlags {
  std::string suite, output, baseline, format;
  bool dry_run = false;
  double timeout_seconds = ExecuteOptions().timeout_seconds;
};

void warn_of_untrustworthy_times(const std::vector<Cell>& cells) {
  if (std::none_of(cells.begin(), cells.end(), is_timed)) return;
  if (is_debug_build()) {
    fmt::print(stderr,
               "cpbench: warning: this build is not optimised, or has a sanitizer: times mean "
               "nothing\n");
  }
  const auto over = std::count_if(cells.begin(), cells.end(), [](const Cell& cell) {
    return is_timed(cell) && !backend_of(cell).on_gpus && cell.ranks > usable_cores();
  });
  if (over > 0) {
    fmt::print(stderr,
               "cpbench: warning: {} of {} cells have more ranks than the {} cores here: their "
               "times compare little, and they have no MFU\n",
               over, cells.size(), usable_cores());
  }
}

int exit_code_of(const std::vector<Outcome>& outcomes) {
  const auto count = [&](Status status) {
    return std::count_if(outcomes.begin(), outcomes.end(),
                         [&](const Outcome& outcome) { return outcome.status == status; });
  };
  if (count(Status::failed) + count(Status::oom) > 0) return kExitFailure;
  // Beside others an unsupported cell is an answer; when there is nothing else, bad input.
  const auto unsupported = static_cast<size_t>(count(Status::unsupported));
  return !outcomes.empty() && unsupported == outcomes.size() ? kExitUsage : kExitOk;
}

int run_cells(const std::vector<Cell>& cells, const SweepOptions& options, const RunFlags& flags) {
  const std::string baseline = baseline_of(cells, flags.baseline);
  const Format format = parse_format(flags.format);
  warn_of_untrustworthy_times(cells);
  const std::vector<Outcome> outcomes =
      flags.dry_run ? dry_run(cells, options) : run_sweep(cells, options);
  print(report(outcomes, baseline, format));
  const auto existing = std::count_if(outcomes.begin(), outcomes.end(),
                                      [](const Outcome& outcome) { return outcome.existed; });
  if (flags.dry_run) {
    fmt::print(stderr, "cpbench: {} cells, {} exist already in {}; the rest takes about {:.0f} s\n",
               outcomes.size(), existing, options.folder, estimated_seconds(outcomes));
  } else {
    fmt::print(stderr, "cpbench: {} cells in {}, {} of them from an earlier run\n", outcomes.size(),
               options.folder, existing);
  }
  return exit_code_of(outcomes);
}

int run(const RunFlags& flags, const Product& given, const Context& context) {
  Suite suite;
  suite.products.resize(1);
  if (!flags.suite.empty()) suite = read_suite(flags.suite);
  override_with(suite, given);
  std::vector<Cell> cells = cells_of(suite);
  if (!flags.dry_run) prepare_for_gpus(cells);

  SweepOptions options;
  options.folder = flags.output.empty() ? std::string(kRuns) + "/" + suite.name : flags.output;
  options.command_line = context.command_line;
  options.timeout_seconds = flags.timeout_seconds;
  if (flags.dry_run || std::none_of(cells.begin(), cells.end(), needs_processes)) {
    return run_cells(cells, options, flags);
  }
  const bool over_mpi =
      std::ranges::any_of(cells, [](const Cell& c) { return c.backend == "mpi"; });
  const auto launch = over_mpi ? std::nullopt : launch_environment();
  Processes processes =
      launch ? Processes(cells, *launch, gpus_of_this_process(), flags.timeout_seconds)
             : Processes(cells, context.command_line, flags.timeout_seconds);
  if (processes.rank() > 0) return processes.follow(cells);
  options.processes = &processes;
  return processes.lead([&] { return run_cells(cells, options, flags); });
}

}  // namespace

void add_run_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "run",
      "Runs a suite, or the cells that flags name: one result file per cell, and a table.\n"
      "Examples:\n"
      "  cpbench run quick\n"
      "  cpbench run quick --ranks 8 --format md\n"
      "  cpbench run --strategy flashcp,ring --workload pile --tokens 8K --ranks 4 --packs 2\n"
      "  cpbench run --strategy all --workload pile --backend plan --ranks 256 --tokens 1M\n"
      "  cpbench run --strategy flashcp,flashcp:ratio=1.2 --workload wlb_llm --baseline flashcp\n"
      "  mpirun -np 4 cpbench run --strategy ring --workload pile --ranks 4 --backend mpi\n"
      "  cpbench run --strategy flashcp,ring --workload pile --tokens 128K --ranks 8 --backend "
      "nccl\n");
  auto flags = std::make_shared<RunFlags>();
  auto parameters = std::make_shared<ParameterFlags>(*command);
  command->add_option("suite", flags->suite, "a TOML file, or a name of cpbench list suites");
  command
      ->add_option("--output", flags->output,
                   "folder of the result files [results/runs/<suite>]; finished cells are not run "
                   "again")
      ->type_name("DIR");
  command->add_option("--baseline", flags->baseline, "strategy that ratios refer to")
      ->type_name("STRATEGY");
  add_format_flag(*command, flags->format);
  command->add_flag("--dry-run", flags->dry_run,
                    "plan and check only: bytes, memory, estimated time, what exists already");
  command
      ->add_option("--timeout", flags->timeout_seconds,
                   "a cell whose ranks make no progress for so long fails [120]")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  command->callback([flags, parameters, &context] {
    context.exit_code = run(*flags, parameters->product(), context);
  });
}

}  // namespace cpbench
