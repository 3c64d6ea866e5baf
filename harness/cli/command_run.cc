#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/report.h"
#include "harness/plan/errors.h"
#include "harness/run/gpu_jobs.h"
#include "harness/run/machine_here.h"
#include "harness/run/progress.h"
#include "harness/run/shard.h"
#include "harness/run/sweep.h"
#include "harness/run/tune.h"
#include "harness/store/provenance.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

constexpr const char* kRuns = "results/runs";

struct Flags {
  std::string suite, output, baseline, format, shard;
  bool dry_run = false, one_process = false, tune = false;
  double timeout_seconds = ExecuteOptions().timeout_seconds;
};

void warn_of_unreliable_times(const std::vector<Job>& jobs) {
  if (std::ranges::none_of(jobs, [](const Job& job) { return job.backend->runs; })) return;
  if (is_debug_build()) {
    fmt::print(stderr,
               "cpbench: warning: this build is not optimised, or has a sanitizer: timings are not "
               "meaningful\n");
  }
  const auto over = std::ranges::count_if(jobs, [](const Job& job) {
    return job.backend->runs && !job.backend->on_gpus && job.spec.ranks > usable_cores();
  });
  if (over > 0) {
    fmt::print(
        stderr,
        "cpbench: warning: {} of {} runs have more ranks than this machine's {} cores: their "
        "timings are unreliable, and they have no MFU\n",
        over, jobs.size(), usable_cores());
  }
}

int exit_code_of(const std::vector<Outcome>& outcomes) {
  const auto count = [&](Status status) {
    return std::count_if(outcomes.begin(), outcomes.end(),
                         [&](const Outcome& outcome) { return outcome.status == status; });
  };
  if (count(Status::failed) + count(Status::oom) > 0) return kExitFailure;
  // An unsupported run is an answer next to others; without any, nothing was achieved.
  return outcomes.empty() || count(Status::ok) > 0 ? kExitOk : kExitFailure;
}

// How the outcomes are shown. Bad flags are refused when it is made, before anything runs.
struct Shown {
  std::string baseline;
  Format format;
  View view;

  Shown(const Flags& flags, const ViewFlags& view_flags, const std::vector<RunSpec>& specs)
      : baseline(baseline_of(specs, flags.baseline)),
        format(parse_format(flags.format)),
        view(view_flags.view_of_runs(format)) {}
};

int print_outcomes(const std::vector<Outcome>& outcomes, const Shown& shown, const Flags& flags,
                   const std::string& folder) {
  print(report(outcomes, shown.baseline, shown.format, shown.view));
  const auto existing = std::ranges::count_if(outcomes, &Outcome::existed);
  if (flags.dry_run) {
    const Estimate rest = estimate(outcomes);
    fmt::print(stderr, "cpbench: {} runs, {} exist already in {}; {} {}{}\n", outcomes.size(),
               existing, folder,
               flags.tune ? "with the rounds that follow, the rest takes" : "the rest takes",
               about(rest.seconds),
               rest.unknown_runs == 0
                   ? ""
                   : fmt::format(", without {} runs on GPUs, which can be estimated only where the "
                                 "GPUs are",
                                 rest.unknown_runs));
  } else {
    fmt::print(stderr, "cpbench: {} runs in {}, {} of them from an earlier sweep\n",
               outcomes.size(), folder, existing);
  }
  return exit_code_of(outcomes);
}

int sweep(const std::vector<Job>& jobs, const SweepOptions& options, const Flags& flags,
          const ViewFlags& view_flags, std::optional<Interrupt>& interrupt) {
  const Shown shown(flags, view_flags, specs_of(jobs));
  warn_of_unreliable_times(jobs);
  return print_outcomes(interrupt ? run_sweep(jobs, options, *interrupt) : dry_run(jobs, options),
                        shown, flags, options.folder);
}

int tuned_sweep(const Suite& suite, const SweepOptions& options, const Flags& flags,
                const ViewFlags& view, std::optional<Interrupt>& interrupt) {
  const std::vector<Job> jobs = jobs_of(suite);
  const Shown shown(flags, view, specs_of(jobs));
  if (!interrupt) {
    fmt::print(stderr, "cpbench: the first round of tuning: every candidate on one pack\n");
    return print_outcomes(dry_tune(suite, options), shown, flags, options.folder + "-tuning");
  }
  warn_of_unreliable_times(jobs);
  TuneOptions tuning{.sweep = options};
  if (!flags.shard.empty()) tuning.shard = parse_shard(flags.shard);
  return print_outcomes(outcomes_of(tune(suite, tuning, *interrupt)), shown, flags, options.folder);
}

// The jobs of this part; the list of all is left in the folder.
std::vector<Job> part_of_sweep(std::vector<Job> jobs, const std::string& shard,
                               const std::string& folder) {
  std::vector<std::string> names;
  for (const Job& job : jobs) names.push_back(result_file_name(job.spec));
  std::vector<Job> part;
  for (const size_t i : part_of(names, parse_shard(shard))) part.push_back(std::move(jobs[i]));
  write_expected(folder, names);
  return part;
}

int run(const Flags& flags, const ViewFlags& view, const Product& given, const Context& context) {
  if (flags.dry_run && !flags.shard.empty()) {
    throw UserError("--dry-run: must be without --shard");
  }
  std::optional<Interrupt> interrupt;
  if (!flags.dry_run) interrupt.emplace([&] { return resume_text(context.command_line); });
  Suite suite;
  suite.products.resize(1);
  if (!flags.suite.empty()) suite = read_suite(flags.suite);
  override_with(suite, given);
  SweepOptions options;
  options.folder = flags.output.empty() ? std::string(kRuns) + "/" + suite.name : flags.output;
  options.command_line = context.command_line;
  options.timeout_seconds = flags.timeout_seconds;
  if (flags.tune) return tuned_sweep(suite, options, flags, view, interrupt);

  std::vector<Job> jobs = jobs_of(suite);
  if (!flags.shard.empty()) jobs = part_of_sweep(std::move(jobs), flags.shard, options.folder);
  std::unique_ptr<LocalLaunch> local;  // outlives what waits for the other processes
  if (!flags.dry_run) {
    prepare_for_gpus(jobs);
    if (!flags.one_process) local = launch_process_per_gpu(jobs, context.command_line);
  }
  if (flags.dry_run || std::ranges::none_of(jobs, &Job::in_processes)) {
    return sweep(jobs, options, flags, view, interrupt);
  }
  const bool over_mpi =
      std::ranges::any_of(jobs, [](const Job& job) { return job.spec.backend == "mpi"; });
  const auto launch = over_mpi ? std::nullopt : launch_environment();
  Processes processes =
      launch ? Processes(jobs, *launch, gpus_of_this_process(), flags.timeout_seconds)
             : Processes(jobs, context.command_line, flags.timeout_seconds);
  if (processes.rank() > 0) {
    interrupt.reset();  // process 0 speaks for all
    return processes.follow(jobs);
  }
  options.processes = &processes;
  return processes.lead([&] { return sweep(jobs, options, flags, view, interrupt); });
}

}  // namespace

void add_run_command(CLI::App& app, Context& context) {
  Command command(
      app, "run",
      "Runs a suite, or the runs that flags name: one result file per run, and a table.\n"
      "Examples:\n"
      "  cpbench run quick\n"
      "  cpbench run quick --ranks 8 --format md\n"
      "  cpbench run --strategy flashcp,ring --workload pile --tokens 8K --ranks 4\n"
      "  cpbench run --strategy all --workload pile --backend plan --ranks 256\n"
      "  cpbench run --strategy flashcp,flashcp:ratio=1.2 --workload wlb_llm\n"
      "  cpbench run --strategy ring --workload pile --ranks 8 --backend nccl\n"
      "  cpbench run quick_h100 --tune\n"
      "  cpbench run quick --shard 2/8\n"
      "  mpirun -np 4 cpbench run --strategy ring --workload pile --backend mpi\n");
  auto flags = std::make_shared<Flags>();
  auto runs = std::make_shared<RunFlags>(command);
  command.optional_argument("suite", flags->suite, "a name of cpbench list suites, or a TOML file",
                            "NAME");
  command.option("--output", flags->output,
                 "folder of the result files; finished runs are not repeated "
                 "[results/runs/<suite>]",
                 "DIR");
  command.option("--baseline", flags->baseline, "strategy to which ratios refer", "STRATEGY");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.flag("--dry-run", flags->dry_run,
               "plan and check only: bytes, memory, estimated time, what exists already");
  command.flag("--tune", flags->tune,
               "find the fastest options of each strategy for each problem (cpbench list options "
               "says which are tried), and show them next to the strategy as it is given");
  command.option("--shard", flags->shard,
                 "run one part of the sweep, like 3/8; or slurm: the part of a Slurm array's task. "
                 "The folders of all parts are merged by copying; show and report say what is "
                 "missing",
                 "I/N");
  command.flag(
      "--one-process", flags->one_process,
      "backend nccl: drive all GPUs of this machine from this process, with a thread each, "
      "instead of starting a process for each");
  command.positive_option("--timeout", flags->timeout_seconds,
                          "fail a run whose ranks make no progress for this long, or whose "
                          "planner, solver or check takes longer [120]",
                          "SECONDS");
  command.action([flags, view, runs, &context] {
    context.exit_code = run(*flags, *view, runs->product(), context);
  });
}

}  // namespace cpbench
