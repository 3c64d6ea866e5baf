// Which strategy to use for a workload on a cluster.
#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/measuring.h"
#include "harness/cli/recommendation.h"
#include "harness/plan/errors.h"
#include "harness/store/atomic_file.h"
#include "harness/store/shell_text.h"

namespace cpbench {
namespace {

constexpr const char* kRuns = "results/runs/recommend";
// Twice the time of the fastest is more than the error of any published run of this kind.
constexpr double kLeftBehind = 2;
constexpr size_t kFewest = 3;  // strategies of the suite that --write leaves

struct Flags {
  std::string output, format, suite;
};

// What the command assumes where `run` assumes something else.
Suite suite_of(Product given) {
  for (const auto& [field, value] : {std::pair("strategy", "all"),
                                     {"backend", "simulate"},
                                     {"cluster", "h100"},
                                     {"shape", "llama3_8b"},
                                     {"packs", "4"}}) {
    given.fields.try_emplace(field, Values{{value}, std::string("--") + field});
  }
  for (const auto& [field, values] : given.fields) {
    if (field == "strategy" || values.values.size() == 1) continue;
    throw UserError(values.origin +
                    ": recommend answers for one problem, so only --strategy may "
                    "have several values");
  }
  const std::string& backend = given.fields["backend"].values.front();
  if (!find_backend(backend).simulates) {
    throw UserError("--backend: '" + backend + "' is not supported; must be simulate or replay");
  }
  Suite suite;
  suite.products = {std::move(given)};
  return suite;
}

// Those in the first place, and at least three.
std::vector<RunSpec> best_of(const Ranking& ranking) {
  std::vector<RunSpec> specs;
  for (const Recommended& row : ranking.ranked) {
    if (row.place.place > 1 && specs.size() >= kFewest) break;
    specs.push_back(row.run.best.spec);
  }
  return specs;
}

int recommend(const Flags& flags, const ViewFlags& view_flags, Product given,
              const Context& context) {
  Interrupt interrupt([&] { return resume_text(context.command_line); });
  const Format format = parse_format(flags.format);
  const View view = view_flags.view(format);
  TuneOptions options;
  options.sweep.folder = flags.output.empty() ? kRuns : flags.output;
  options.sweep.command_line = context.command_line;
  options.left_behind = kLeftBehind;
  const Ranking ranking = ranking_of(tune(suite_of(std::move(given)), options, interrupt));
  print(recommendation_text(ranking, format, view));
  if (ranking.ranked.empty()) return kExitFailure;
  fmt::print(stderr, "cpbench: figure: scripts/plot tuning {}\n",
             shell_text({options.sweep.folder}));
  if (!flags.suite.empty()) {
    const std::vector<RunSpec> best = best_of(ranking);
    write_atomically(flags.suite, measuring_suite(best));
    fmt::print(stderr, "cpbench: suite of the best {}: {}\n", best.size(), flags.suite);
  }
  return kExitOk;
}

}  // namespace

void add_recommend_command(CLI::App& app, Context& context) {
  Command command(
      app, "recommend",
      "Simulates every strategy, each with its options tuned, and ranks them for your data.\n"
      "Examples:\n"
      "  cpbench recommend --workload lengths.txt --ranks 64 --tokens 512K\n"
      "  cpbench recommend --workload pile --ranks 8 --tokens 128K --shape flashcp_h32\n"
      "  cpbench recommend --workload pile --ranks 64 --tokens 512K --write best.toml\n"
      "Where flags do not say otherwise: all strategies, --cluster h100, --shape llama3_8b, "
      "--packs 4, --backend simulate. A strategy that takes more than twice as long as the fastest "
      "on the first pack is not simulated on the others. Strategies whose times differ by less "
      "than the error of simulated times share a place: =1. cpbench list options says what tuning "
      "tries. With hundreds of ranks most of the time goes into flexsp's solver, for up to 60 s a "
      "pack: --set flexsp.seconds=5 bounds it.\n");
  auto flags = std::make_shared<Flags>();
  auto runs = std::make_shared<RunFlags>(command);
  command.option("--output", flags->output,
                 "folder of the result files; finished runs are not repeated "
                 "[results/runs/recommend]",
                 "DIR");
  command.option("--write", flags->suite,
                 "suite to write, which measures the best strategies with cpbench run",
                 "FILE.toml");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.action([flags, view, runs, &context] {
    context.exit_code = recommend(*flags, *view, runs->product(), context);
  });
}

}  // namespace cpbench
