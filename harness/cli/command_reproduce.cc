// The figures and tables of a method's paper, or of an implementation's benchmark, published values
// next to ours. A figure is a suite, workloads/suites/reproduce/<method>_<figure>.toml, and a
// drawing of its runs, plots/papers/<method>_<figure>.py; which reads tables/<figure>.csv:
// everything about the runs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/python.h"
#include "harness/cli/report.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/presets.h"
#include "harness/run/gpu_jobs.h"
#include "harness/run/sweep.h"
#include "harness/source_tree/source_tree.h"
#include "harness/spec/run_fields.h"
#include "harness/store/atomic_file.h"
#include "harness/store/shell_text.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "reproduce/";  // of the names of suites
constexpr const char* kRuns = "results/runs/reproduce";
constexpr const char* kAll = "all";  // every method, one after another

// Maps each method to its figure names ("fig5", "table2"), sorted.
std::map<std::string, std::vector<std::string>> figures_by_method() {
  std::map<std::string, std::vector<std::string>> found;
  for (const std::string& name : preset_names(PresetKind::suites)) {
    const std::string stem = name.substr(name.find('/') + 1);
    const size_t underscore = stem.rfind('_');
    if (!name.starts_with(kPrefix) || underscore == std::string::npos) continue;
    found[stem.substr(0, underscore)].push_back(stem.substr(underscore + 1));
  }
  for (auto& [method, figures] : found) std::sort(figures.begin(), figures.end());
  return found;
}

// Each of `wanted` is like "fig5" or "table2", or only its number.
std::vector<std::string> chosen(const std::vector<std::string>& figures,
                                const std::vector<std::string>& wanted) {
  if (wanted.empty()) return figures;
  std::vector<std::string> found;
  for (const std::string& name : wanted) {
    const auto is_it = [&](const std::string& figure) {
      return figure == name || figure == "fig" + name || figure == "table" + name;
    };
    const auto figure = std::find_if(figures.begin(), figures.end(), is_it);
    if (figure == figures.end()) {
      throw UserError("--figure: " + unknown_name("figure", name, figures));
    }
    if (std::find(found.begin(), found.end(), *figure) == found.end()) found.push_back(*figure);
  }
  return found;
}

// The project's Python, if it has the packages that drawing needs.
std::string drawing_python() {
  const std::string name = python();
  const std::string probe =
      shell_text({name, "-c", "import h5py, matplotlib, numpy"}) + " >/dev/null 2>&1";
  if (std::system(probe.c_str()) != 0) {
    throw UserError(name + ": cannot import h5py, matplotlib and numpy, which drawing needs; " +
                    "scripts/setup installs them");
  }
  return name;
}

struct ReproduceFlags {
  std::string method, output, figures_folder, backend = "simulate", kernel = kAutomatic;
  std::vector<std::string> figures;
};

// Simulated runs of a suite become replayed ones.
void replay_kernels(Suite& suite, const std::string& kernel) {
  for (Product& product : suite.products) {
    const auto backend = product.fields.find("backend");
    if (backend == product.fields.end()) continue;
    if (backend->second.values != std::vector<std::string>{"simulate"}) continue;
    backend->second.values = {"replay"};
    product.fields["kernel"] = {{kernel}, "--kernel"};
  }
}

struct Folders {
  std::string runs, figures;
};

// With several methods, each has a folder of its own below those that are given.
Folders folders_of(const ReproduceFlags& flags, const std::string& method) {
  const auto below = [&](const std::string& folder) {
    return flags.method == kAll ? (fs::path(folder) / method).string() : folder;
  };
  const std::string name = flags.backend == "simulate" ? method : method + "-" + flags.backend;
  const std::string runs =
      flags.output.empty() ? (fs::path(kRuns) / name).string() : below(flags.output);
  if (!flags.figures_folder.empty()) return {runs, below(flags.figures_folder)};
  return {runs, flags.output.empty() ? (fs::path(runs) / "figures").string() : runs};
}

// Runs and draws the figures of one method. Returns whether all succeeded.
bool reproduce(const ReproduceFlags& flags, const std::string& method,
               const std::vector<std::string>& figures, const std::string& interpreter,
               const Context& context, Interrupt& interrupt) {
  const Folders folders = folders_of(flags, method);
  std::vector<Job> jobs;  // the jobs of all figures, each once
  std::map<std::string, size_t> place;
  std::vector<std::vector<size_t>> places;  // [figure]
  for (const std::string& figure : figures) {
    places.emplace_back();
    Suite suite = read_suite(kPrefix + method + "_" + figure);
    if (flags.backend == "replay") replay_kernels(suite, flags.kernel);
    for (Job& job : jobs_of(suite)) {
      const auto [at, is_new] = place.emplace(canonical_text(job.spec), jobs.size());
      if (is_new) jobs.push_back(std::move(job));
      places.back().push_back(at->second);
    }
  }
  prepare_for_gpus(jobs);
  SweepOptions options;
  options.folder = folders.runs;
  options.command_line = context.command_line;
  const std::vector<Outcome> outcomes = run_sweep(jobs, options, interrupt);
  const auto existing = std::ranges::count_if(outcomes, &Outcome::existed);
  fmt::print(stderr, "cpbench: {} runs in {}, {} of them from an earlier sweep\n", outcomes.size(),
             options.folder, existing);

  const fs::path tables = fs::path(options.folder) / "tables";
  fs::create_directories(tables);
  for (size_t i = 0; i < figures.size(); ++i) {
    std::vector<Outcome> shown;
    for (const size_t at : places[i]) shown.push_back(outcomes[at]);
    write_atomically((tables / (figures[i] + ".csv")).string(), report(shown, "", Format::csv));
  }
  std::vector<std::string> draw = {interpreter, (source_tree() / "plots" / "reproduce.py").string(),
                                   method, tables.string()};
  draw.insert(draw.end(), figures.begin(), figures.end());
  draw.insert(draw.end(), {"--output", folders.figures});
  const bool drawn = std::system(shell_text(draw).c_str()) == 0;
  return drawn && std::none_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) {
           return outcome.status == Status::failed || outcome.status == Status::oom;
         });
}

int reproduce(const ReproduceFlags& flags, const Context& context) {
  Interrupt interrupt([&] { return resume_text(context.command_line); });
  if (flags.backend != "simulate" && flags.backend != "replay") {
    throw UserError("--backend: '" + flags.backend +
                    "' is not supported; must be simulate or replay");
  }
  const auto methods = figures_by_method();
  std::vector<std::string> names = {kAll};
  for (const auto& [name, figures] : methods) names.push_back(name);
  if (std::find(names.begin(), names.end(), flags.method) == names.end()) {
    throw UserError(unknown_name("method", flags.method, names));
  }
  if (flags.method == kAll && !flags.figures.empty()) {
    throw UserError("--figure: must be given with one method, not with all");
  }
  names.erase(names.begin());
  if (flags.method != kAll) names = {flags.method};
  std::map<std::string, std::vector<std::string>> figures;  // refused before anything runs
  for (const std::string& name : names) figures[name] = chosen(methods.at(name), flags.figures);
  const std::string interpreter = drawing_python();
  bool good = true;
  for (const std::string& name : names) {
    good &= reproduce(flags, name, figures[name], interpreter, context, interrupt);
  }
  return good ? kExitOk : kExitFailure;
}

}  // namespace

void add_reproduce_command(CLI::App& app, Context& context) {
  Command command(
      app, "reproduce",
      "Runs and draws the figures of a paper or benchmark, with published values next to ours.\n"
      "Examples:\n"
      "  cpbench reproduce flashcp\n"
      "  cpbench reproduce all\n"
      "  cpbench reproduce fcp --figure 10\n"
      "  cpbench reproduce magi\n"
      "  cpbench reproduce flexcp --draw-to results/reproduced/flexcp\n"
      "  cpbench reproduce flashcp --figure 6 --backend replay --kernel flash\n");
  auto flags = std::make_shared<ReproduceFlags>();
  command.argument("method", flags->method,
                   "flashcp, fcp, flexcp, magi, ring_flash_attention, or all", "NAME");
  command.options("--figure", flags->figures,
                  "a figure or table to draw, like 5 or table2; may be repeated [all]", "N");
  command.option("--output", flags->output,
                 "folder of the result files, and of the figures and tables unless --draw-to is "
                 "given; finished runs are not repeated [results/runs/reproduce/<method>]",
                 "DIR");
  command.option("--draw-to", flags->figures_folder,
                 "folder of the figures and tables [results/runs/reproduce/<method>/figures]",
                 "DIR");
  command.option(
      "--backend", flags->backend,
      "simulate, or replay, which times kernels and copies on a GPU of this machine [simulate]",
      "NAME");
  command.option("--kernel", flags->kernel, "attention kernel of replay [auto]", "NAME");
  command.action([flags, &context] { context.exit_code = reproduce(*flags, context); });
}

}  // namespace cpbench
