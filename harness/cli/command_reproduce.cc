// The figures and tables of a method's paper, published values beside ours. A figure is a suite,
// workloads/suites/reproduce/<method>_<figure>.toml, and a drawing of its cells,
// plots/papers/<method>_<figure>.py; between them stands <figure>.csv, all that cells say.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/gpu_cells.h"
#include "harness/cli/parameters.h"
#include "harness/cli/sweep.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/store/atomic_file.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

const fs::path kSource = CPBENCH_SOURCE_DIR;
const fs::path kSuites = kSource / "workloads" / "suites" / "reproduce";
const fs::path kDriver = kSource / "plots" / "reproduce.py";
constexpr const char* kRuns = "results/runs/reproduce";

// By method the names of its figures, "fig5" or "table2", in the order of the alphabet.
std::map<std::string, std::vector<std::string>> figures_by_method() {
  std::map<std::string, std::vector<std::string>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kSuites, ignored)) {
    const std::string stem = entry.path().stem().string();
    const size_t underscore = stem.find('_');
    if (entry.path().extension() != ".toml" || underscore == std::string::npos) continue;
    found[stem.substr(0, underscore)].push_back(stem.substr(underscore + 1));
  }
  for (auto& [method, figures] : found) std::sort(figures.begin(), figures.end());
  return found;
}

// `wanted` is "fig5", "table2", or their number alone.
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

// The interpreter of the project's environment, else that of the system; one that can draw.
std::string python() {
  const fs::path own = kSource / ".venv" / "bin" / "python3";
  const std::string name = fs::exists(own) ? own.string() : "python3";
  const std::string probe =
      shell_text({name, "-c", "import h5py, matplotlib, numpy"}) + " >/dev/null 2>&1";
  if (std::system(probe.c_str()) != 0) {
    throw UserError(name + ": cannot import h5py, matplotlib and numpy, which drawing needs; " +
                    "scripts/setup installs them");
  }
  return name;
}

struct ReproduceFlags {
  std::string method, output, backend = "simulate", kernel = kAutomatic;
  std::vector<std::string> figures;
};

// Simulated cells of a suite become replayed ones.
void replay_kernels(Suite& suite, const std::string& kernel) {
  for (Product& product : suite.products) {
    const auto backend = product.parameters.find("backend");
    if (backend == product.parameters.end()) continue;
    if (backend->second.values != std::vector<std::string>{"simulate"}) continue;
    backend->second.values = {"replay"};
    product.parameters["kernel"] = {{kernel}, "--kernel"};
  }
}

std::string runs_of(const ReproduceFlags& flags) {
  const std::string name =
      flags.backend == "simulate" ? flags.method : flags.method + "-" + flags.backend;
  return (fs::path(kRuns) / name).string();
}

int reproduce(const ReproduceFlags& flags, const Context& context) {
  if (flags.backend != "simulate" && flags.backend != "replay") {
    throw UserError("--backend: '" + flags.backend +
                    "'; the figures are drawn with simulate or replay");
  }
  const auto methods = figures_by_method();
  if (!methods.count(flags.method)) {
    std::vector<std::string> names;
    for (const auto& [name, figures] : methods) names.push_back(name);
    throw UserError(unknown_name("method", flags.method, names));
  }
  const std::vector<std::string> figures = chosen(methods.at(flags.method), flags.figures);
  const std::string interpreter = python();

  std::vector<Cell> cells;  // of all figures, each once
  std::map<std::string, size_t> place;
  std::vector<std::vector<size_t>> places;  // [figure]
  for (const std::string& figure : figures) {
    places.emplace_back();
    const fs::path suite = kSuites / (flags.method + "_" + figure + ".toml");
    Suite read = read_suite(suite.string());
    if (flags.backend == "replay") replay_kernels(read, flags.kernel);
    for (Cell& cell : cells_of(read)) {
      const auto [at, is_new] = place.emplace(canonical_text(cell), cells.size());
      if (is_new) cells.push_back(std::move(cell));
      places.back().push_back(at->second);
    }
  }
  prepare_for_gpus(cells);
  SweepOptions options;
  options.folder = runs_of(flags);
  options.command_line = context.command_line;
  const std::vector<Outcome> outcomes = run_sweep(cells, options);
  const auto existing = std::count_if(outcomes.begin(), outcomes.end(),
                                      [](const Outcome& outcome) { return outcome.existed; });
  fmt::print(stderr, "cpbench: {} cells in {}, {} of them from an earlier run\n", outcomes.size(),
             options.folder, existing);

  for (size_t i = 0; i < figures.size(); ++i) {
    std::vector<Outcome> shown;
    for (const size_t at : places[i]) shown.push_back(outcomes[at]);
    write_atomically((fs::path(options.folder) / (figures[i] + ".csv")).string(),
                     report(shown, "", Format::csv));
  }
  std::vector<std::string> draw = {interpreter, kDriver.string(), flags.method, options.folder};
  draw.insert(draw.end(), figures.begin(), figures.end());
  if (!flags.output.empty()) draw.insert(draw.end(), {"--output", flags.output});
  const bool drawn = std::system(shell_text(draw).c_str()) == 0;
  const bool ran = std::none_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) {
    return outcome.status == Status::failed || outcome.status == Status::oom;
  });
  return drawn && ran ? kExitOk : kExitFailure;
}

}  // namespace

void add_reproduce_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "reproduce",
      "Runs and draws the figures of a method's paper, published values beside ours.\n"
      "Examples:\n"
      "  cpbench reproduce flashcp\n"
      "  cpbench reproduce fcp --figure 10\n"
      "  cpbench reproduce flexcp --output results/reproduced/flexcp\n"
      "  cpbench reproduce flashcp --figure 6 --backend replay --kernel flash\n");
  auto flags = std::make_shared<ReproduceFlags>();
  command->add_option("method", flags->method, "flashcp, fcp or flexcp")->required();
  command
      ->add_option("--figure", flags->figures,
                   "these alone, like 5 or table2; repeatable [all there are]")
      ->type_name("N")
      ->expected(1)
      ->take_all();
  command
      ->add_option(
          "--output", flags->output,
          "of figures and tables [results/runs/reproduce/<method>/figures]; the cells stay "
          "in results/runs/reproduce/<method>")
      ->type_name("DIR");
  command
      ->add_option("--backend", flags->backend,
                   "simulate, or replay: kernels and copies timed on a GPU here [simulate]")
      ->type_name("NAME");
  command->add_option("--kernel", flags->kernel, "of replay [auto]")->type_name("NAME");
  command->callback([flags, &context] { context.exit_code = reproduce(*flags, context); });
}

}  // namespace cpbench
