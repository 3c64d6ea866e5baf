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

// One method: the jobs of all its figures, each once.
struct Part {
  std::string method;
  std::vector<std::string> figures;
  Folders folders;
  std::vector<Job> jobs{};
  std::vector<std::vector<size_t>> places{};  // [figure]: its jobs
};

Part part_of(const ReproduceFlags& flags, const std::string& method,
             const std::vector<std::string>& figures) {
  Part part{method, figures, folders_of(flags, method)};
  std::map<std::string, size_t> place;
  for (const std::string& figure : figures) {
    part.places.emplace_back();
    Suite suite = read_suite(kPrefix + method + "_" + figure);
    if (flags.backend == "replay") replay_kernels(suite, flags.kernel);
    for (Job& job : jobs_of(suite)) {
      const auto [at, is_new] = place.emplace(canonical_text(job.spec), part.jobs.size());
      if (is_new) part.jobs.push_back(std::move(job));
      part.places.back().push_back(at->second);
    }
  }
  prepare_for_gpus(part.jobs);
  return part;
}

bool run_program(const std::vector<std::string>& words) {
  return std::system(shell_text(words).c_str()) == 0;
}

std::string drawing_program(const char* name) { return (source_tree() / "plots" / name).string(); }

// Runs and draws the figures of one method. Returns whether all succeeded.
bool reproduce(const Part& part, const SweepOptions& options, bool is_one_of_many,
               const std::string& interpreter, Interrupt& interrupt) {
  const std::vector<Outcome> outcomes = run_sweep(part.jobs, options, interrupt);
  const auto existing = std::ranges::count_if(outcomes, &Outcome::existed);
  fmt::print(stderr, "cpbench: {} runs in {}, {} of them from an earlier sweep\n", outcomes.size(),
             options.folder, existing);

  const fs::path tables = fs::path(options.folder) / "tables";
  fs::create_directories(tables);
  for (size_t i = 0; i < part.figures.size(); ++i) {
    std::vector<Outcome> shown;
    for (const size_t at : part.places[i]) shown.push_back(outcomes[at]);
    write_atomically((tables / (part.figures[i] + ".csv")).string(),
                     report(shown, "", Format::csv));
  }
  std::vector<std::string> draw = {interpreter, drawing_program("reproduce.py"), part.method,
                                   tables.string()};
  draw.insert(draw.end(), part.figures.begin(), part.figures.end());
  draw.insert(draw.end(), {"--output", part.folders.figures});
  if (is_one_of_many) draw.emplace_back("--brief");
  return run_program(draw) && std::none_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) {
           return o.status == Status::failed || o.status == Status::oom;
         });
}

// By method the figures to draw. With all methods, a figure is one of every method that has it.
std::map<std::string, std::vector<std::string>> wanted_figures(const ReproduceFlags& flags) {
  auto methods = figures_by_method();
  std::vector<std::string> names = {kAll}, every;
  for (const auto& [name, figures] : methods) {
    names.push_back(name);
    every.insert(every.end(), figures.begin(), figures.end());
  }
  if (std::find(names.begin(), names.end(), flags.method) == names.end()) {
    throw UserError(unknown_name("method", flags.method, names));
  }
  if (flags.method != kAll) {
    return {{flags.method, chosen(methods.at(flags.method), flags.figures)}};
  }
  const std::vector<std::string> wanted = chosen(every, flags.figures);
  for (auto& [name, figures] : methods) {
    std::erase_if(figures, [&](const std::string& figure) {
      return std::find(wanted.begin(), wanted.end(), figure) == wanted.end();
    });
  }
  std::erase_if(methods, [](const auto& method) { return method.second.empty(); });
  return methods;
}

int reproduce(const ReproduceFlags& flags, const Context& context) {
  Interrupt interrupt([&] { return resume_text(context.command_line); });
  if (flags.backend != "simulate" && flags.backend != "replay") {
    throw UserError("--backend: '" + flags.backend +
                    "' is not supported; must be simulate or replay");
  }
  std::vector<Part> parts;  // whatever is refused is refused before anything runs
  for (const auto& [method, figures] : wanted_figures(flags)) {
    parts.push_back(part_of(flags, method, figures));
  }
  const std::string interpreter = drawing_python();
  const bool is_many = flags.method == kAll;
  std::vector<std::string> close = {interpreter, drawing_program("claims.py")};
  bool good = true;
  for (size_t i = 0; i < parts.size(); ++i) {
    SweepOptions options;
    options.folder = parts[i].folders.runs;
    options.command_line = context.command_line;
    if (is_many) options.label = fmt::format("{}, {} of {} ", parts[i].method, i + 1, parts.size());
    for (size_t j = i + 1; j < parts.size(); ++j) {
      options.later_work += unfinished_work(parts[j].jobs, parts[j].folders.runs);
    }
    good &= reproduce(parts[i], options, is_many, interpreter, interrupt);
    close.push_back(parts[i].method + "=" + parts[i].folders.figures);
  }
  if (is_many) good &= run_program(close);
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
                  "a figure or table to draw, like 5 or table2; with all: of every method that has "
                  "it; may be repeated [all]",
                  "N");
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
