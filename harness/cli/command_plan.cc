#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/properties.h"
#include "harness/cli/report.h"
#include "harness/cli/terminal.h"
#include "harness/measure/bounds.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/plan/plan_text.h"
#include "harness/run/run_job.h"
#include "harness/store/plan_file.h"

namespace cpbench {

namespace {

// The text of a plan with more operations is too long to read.
constexpr int64_t kLongPlan = 500;

struct PlanFlags {
  std::string output, format;
  bool full = false;
};

Job single_job(const Product& given) {
  Suite suite;
  suite.products = {given};
  suite.products.front().fields["backend"] = {{"plan"}, "--backend"};
  std::vector<Job> jobs = jobs_of(suite);
  if (jobs.size() != 1 || jobs.front().spec.packs != 1) {
    throw UserError("plan makes one plan, so each flag must have one value, and --packs must be 1");
  }
  return std::move(jobs.front());
}

Table metrics_table(const std::vector<MetricValue>& values) {
  Table table{{{"metric"}, {"value", true}}, {}};
  for (const MetricValue& metric : values) {
    table.rows.push_back({metric.name, with_unit(metric.value, metric.unit)});
  }
  return table;
}

std::string whole(double value) { return fmt::format("{:.0f}", value); }

// What the plan costs next to what any plan must.
Table bounds_table(const Problem& problem, const PackResult& pack, Passes passes) {
  const Bounds bounds = lower_bounds(problem, passes, pack.plan.gradient_wire);
  const PlanSummary& summary = pack.summary;
  const auto most = [](const std::vector<int64_t>& per_rank) {
    return static_cast<double>(*std::max_element(per_rank.begin(), per_rank.end()));
  };
  Table table{{{"cost"}, {"this plan", true}, {"any plan, at least", true}, {"ratio", true}}, {}};
  const auto row = [&table](const char* what, double plan, double bound,
                            std::string (*text)(double)) {
    table.rows.push_back({what, text(plan), text(bound), bound > 0 ? times(plan / bound) : ""});
  };
  row("(query, key) pairs of the fullest rank", most(summary.pairs_per_rank), bounds.pairs_per_rank,
      short_number);
  row("tokens of the fullest rank", most(summary.tokens_per_rank),
      static_cast<double>(bounds.tokens_per_rank), whole);
  row("bytes on the wire, even tokens",
      static_cast<double>(summary.forward.wire_bytes + summary.backward.wire_bytes),
      static_cast<double>(bounds.wire_bytes), short_bytes);
  return table;
}

int plan(const PlanFlags& flags, const Product& given) {
  const Format format = parse_format(flags.format);
  const Job job = single_job(given);
  const Problem problem = job.problem(job.batches->front());
  validate(problem);
  CheckedPlan checked;
  try {
    checked = plan_pack(job, problem);
  } catch (const Unsupported& reason) {
    throw UserError(job.spec.strategy + ": unsupported: " + reason.what());
  }
  if (!checked.report.ok()) {
    for (const Violation& violation : checked.report.violations) {
      fmt::print(stderr, "cpbench: {}\n", violation.text());
    }
    return kExitFailure;
  }
  if (!flags.output.empty()) {
    save_plan_file(flags.output, {problem, checked.pack.plan});
    fmt::print(stderr, "cpbench: plan written to {}\n", flags.output);
  }
  Result result;
  result.spec = job.spec;
  result.cluster = problem.cluster;
  result.packs.push_back(std::move(checked.pack));
  result.metrics = evaluate_metrics(result);
  if (format != Format::table) {
    print(report({outcome_of(result, flags.output, false)}, job.spec.strategy, format));
    return kExitOk;
  }
  const PackResult& pack = result.packs.front();
  const int64_t operations = pack.summary.forward.attends + pack.summary.forward.sends +
                             pack.summary.backward.attends + pack.summary.backward.sends;
  const View view{.width = terminal_width()};
  print(render(metrics_table(result.metrics), Format::table, view) + "\n" +
        render(bounds_table(problem, pack, job.spec.passes), Format::table, view));
  if (!pack.properties.empty()) {
    print("\n" + render(properties_table(job.spec.strategy, pack.properties), Format::table, view));
  }
  print(fmt::format("\nhash {:016x}\n", pack.summary.hash));
  if (!flags.output.empty()) return kExitOk;
  if (flags.full || operations <= kLongPlan) {
    print("\n" + plan_text(pack.plan));
  } else {
    print(fmt::format(
        "\n{} operations; --full prints them, --output FILE.json or FILE.h5 writes them\n",
        operations));
  }
  return kExitOk;
}

}  // namespace

void add_plan_command(CLI::App& app, Context& context) {
  Command command(
      app, "plan",
      "Makes and checks one plan; prints its metrics and its text, or writes it to a file.\n"
      "Examples:\n"
      "  cpbench plan --strategy ring --workload fixed:tokens=8 --tokens 16 --ranks 2\n"
      "  cpbench plan --strategy flashcp --workload pile --tokens 128K --ranks 8\n"
      "  cpbench plan --strategy ring --workload pile --ranks 4 --output ring.json\n");
  auto flags = std::make_shared<PlanFlags>();
  auto runs = std::make_shared<RunFlags>(command);
  command.option("--output", flags->output, "file to write the plan to: .json or .h5", "FILE");
  command.flag("--full", flags->full, "print the text of the plan even if it is long");
  add_format_flag(command, flags->format);
  command.action([flags, runs, &context] { context.exit_code = plan(*flags, runs->product()); });
}

}  // namespace cpbench
