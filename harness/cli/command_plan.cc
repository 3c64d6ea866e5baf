#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/outcome.h"
#include "harness/cli/parameters.h"
#include "harness/cli/run_cell.h"
#include "harness/measure/bounds.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/plan/plan_text.h"
#include "harness/store/plan_file.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

namespace {

// A plan of more operations is a wall of text: its metrics say more.
constexpr int64_t kLongPlan = 500;

struct PlanFlags {
  std::string output, format;
  bool full = false;
};

Cell single_cell(const Product& given) {
  Suite suite;
  suite.products = {given};
  suite.products.front().parameters["backend"] = {{"plan"}, "--backend"};
  const std::vector<Cell> cells = cells_of(suite);
  if (cells.size() != 1 || cells.front().packs != 1) {
    throw UserError("plan makes one plan: give one value for each flag, and one pack");
  }
  return cells.front();
}

Table metrics_table(const std::vector<MetricValue>& values) {
  Table table{{{"metric"}, {"value", true}, {"unit"}}, {}};
  for (const MetricValue& metric : values) {
    table.rows.push_back({metric.name, fmt::format("{}", metric.value), metric.unit});
  }
  return table;
}

// What the plan pays, beside what any plan must.
Table bounds_table(const Problem& problem, const PackResult& pack, Passes passes) {
  const Bounds bounds = lower_bounds(problem, passes, pack.plan.gradient_wire);
  const PlanFacts& facts = pack.facts;
  const auto most = [](const std::vector<int64_t>& per_rank) {
    return static_cast<double>(*std::max_element(per_rank.begin(), per_rank.end()));
  };
  Table table{
      {{"of the fullest rank, or all"}, {"this plan", true}, {"any plan", true}, {"ratio", true}},
      {}};
  const auto row = [&table](const char* what, double plan, double bound) {
    const std::string ratio = bound > 0 ? fmt::format("{:.3f}", plan / bound) : "";
    table.rows.push_back({what, fmt::format("{}", plan), fmt::format("{}", bound), ratio});
  };
  row("attended cells", most(facts.cells_per_rank), bounds.cells_per_rank);
  row("owned tokens", most(facts.tokens_per_rank), static_cast<double>(bounds.tokens_per_rank));
  row("bytes on the wire, even tokens",
      static_cast<double>(facts.forward.wire_bytes + facts.backward.wire_bytes),
      static_cast<double>(bounds.wire_bytes));
  return table;
}

// What the strategy itself reports; an external planner reports nothing.
Table facts_table(const Cell& cell, const Problem& problem) {
  Table table{{{"reported by " + cell.strategy}, {"value", true}, {"unit"}}, {}};
  if (is_external(cell.strategy)) return table;
  const Strategy& strategy = find_strategy(cell.strategy);
  if (strategy.facts == nullptr) return table;
  for (const Fact& fact :
       strategy.facts(problem, Options(strategy.name, strategy.options, cell.options))) {
    table.rows.push_back({fact.name, fmt::format("{}", fact.value), fact.unit});
  }
  return table;
}

int plan(const PlanFlags& flags, const Product& given) {
  const Format format = parse_format(flags.format);
  const Cell cell = single_cell(given);
  const Batch batch = batches_of(cell).front();
  CheckedPlan checked;
  try {
    checked = plan_pack(cell, batch);
  } catch (const Unsupported& reason) {
    throw UserError(cell.strategy + ": unsupported: " + reason.what());
  }
  if (!checked.report.ok()) {
    for (const Violation& violation : checked.report.violations) {
      fmt::print(stderr, "cpbench: {}\n", violation.text());
    }
    return kExitFailure;
  }
  if (!flags.output.empty()) {
    save_plan_file(flags.output, {problem_of(cell, batch), checked.pack.plan});
    fmt::print(stderr, "cpbench: plan written to {}\n", flags.output);
  }
  Result result;
  result.cell = cell;
  result.packs.push_back(std::move(checked.pack));
  result.metrics = evaluate_metrics(result);
  if (format != Format::table) {
    print(report({outcome_of(result, flags.output, false)}, cell.strategy, format));
    return kExitOk;
  }
  const PackResult& pack = result.packs.front();
  const int64_t operations = pack.facts.forward.attends + pack.facts.forward.sends +
                             pack.facts.backward.attends + pack.facts.backward.sends;
  const Problem problem = problem_of(cell, batch);
  print(render(metrics_table(result.metrics), Format::table) + "\n" +
        render(bounds_table(problem, pack, cell.passes), Format::table));
  const Table facts = facts_table(cell, problem);
  if (!facts.rows.empty()) print("\n" + render(facts, Format::table));
  print(fmt::format("\nhash {:016x}\n", pack.facts.hash));
  if (!flags.output.empty()) return kExitOk;
  if (flags.full || operations <= kLongPlan) {
    print("\n" + plan_text(pack.plan));
  } else {
    print(fmt::format(
        "\n{} operations; --full prints them, --output FILE.json or FILE.h5 keeps them\n",
        operations));
  }
  return kExitOk;
}

}  // namespace

void add_plan_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "plan",
      "Makes and checks one plan; prints its exact metrics and its text, or writes it to a file.\n"
      "Examples:\n"
      "  cpbench plan --strategy ring --workload fixed:tokens=8 --tokens 16 --ranks 2\n"
      "  cpbench plan --strategy flashcp --workload pile --tokens 128K --ranks 8\n"
      "  cpbench plan --strategy ring --workload pile --ranks 4 --output ring.json\n");
  auto flags = std::make_shared<PlanFlags>();
  auto parameters = std::make_shared<ParameterFlags>(*command);
  command->add_option("--output", flags->output, "file to write: .json or .h5")->type_name("FILE");
  command->add_flag("--full", flags->full, "print the text of a long plan too");
  add_format_flag(*command, flags->format);
  command->callback(
      [flags, parameters, &context] { context.exit_code = plan(*flags, parameters->product()); });
}

}  // namespace cpbench
