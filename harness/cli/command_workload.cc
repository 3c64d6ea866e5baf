// A workload as text for people, or as data for figures: JSON, or CSV of the histogram.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/table.h"
#include "harness/cli/terminal.h"
#include "harness/cli/text.h"
#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "harness/run/choices.h"
#include "workloads/summary.h"

namespace cpbench {

namespace {

constexpr int kBarWidth = 40;  // characters of the fullest bin

std::string share(int64_t part, double whole) { return percent(static_cast<double>(part) / whole); }

Table histogram(const LengthSummary& lengths, bool bars) {
  Table table{{{"from", true}, {"documents", true}, {"tokens", true}}, {}};
  if (bars) table.columns.push_back({"share of tokens"});
  const auto documents = static_cast<double>(lengths.documents);
  const auto tokens = static_cast<double>(lengths.tokens);
  int64_t most = 1;
  for (const LengthBin& bin : lengths.bins) most = std::max(most, bin.tokens);
  for (const LengthBin& bin : lengths.bins) {
    if (!bars) {
      table.rows.push_back(
          {std::to_string(bin.low), std::to_string(bin.documents), std::to_string(bin.tokens)});
      continue;
    }
    const auto width = static_cast<size_t>(
        static_cast<double>(bin.tokens) / static_cast<double>(most) * kBarWidth + 0.5);
    table.rows.push_back({size_text(bin.low), share(bin.documents, documents),
                          share(bin.tokens, tokens), std::string(width, '#')});
  }
  return table;
}

Table packs_table(const std::vector<PackSummary>& packs) {
  Table table{{{"pack", true},
               {"documents", true},
               {"longest", true},
               {"sum of squares", true},
               {"causal pairs", true},
               {"of one long document", true}},
              {}};
  for (size_t i = 0; i < packs.size(); ++i) {
    const PackSummary& pack = packs[i];
    const double whole =
        static_cast<double>(pack.tokens) * static_cast<double>(pack.tokens + 1) / 2;
    table.rows.push_back(
        {std::to_string(i), std::to_string(pack.documents), std::to_string(pack.longest),
         short_number(static_cast<double>(pack.sum_of_squares)),
         short_number(static_cast<double>(pack.causal_pairs)), share(pack.causal_pairs, whole)});
  }
  return table;
}

std::string text(const Workload& workload, const WorkloadReport& report) {
  const View view{.width = terminal_width()};
  const LengthSummary& lengths = report.lengths;
  std::string out = paragraph(workload.name + ": " + workload.title, view.width) +
                    paragraph(workload.description, view.width);
  if (!workload.source.empty()) out += paragraph("source: " + workload.source, view.width);
  out += fmt::format("\n{} documents drawn: mean {:.1f}, shortest {}, longest {} tokens\n",
                     lengths.documents, lengths.mean, lengths.shortest, lengths.longest);
  Table quantiles{{{"quantile", true}, {"tokens", true}}, {}};
  for (const LengthQuantile& q : lengths.quantiles) {
    quantiles.rows.push_back({fmt::format("{}", q.share), std::to_string(q.length)});
  }
  return out + "\n" + render(quantiles, Format::table, view) + "\n" +
         render(histogram(lengths, true), Format::table, view) + "\n" +
         render(packs_table(report.packs), Format::table, view);
}

std::string json(const Workload& workload, const PackingOptions& packing,
                 const WorkloadReport& report) {
  using nlohmann::ordered_json;
  const LengthSummary& lengths = report.lengths;
  ordered_json object = {{"name", workload.name},          {"kind", workload.kind},
                         {"title", workload.title},        {"description", workload.description},
                         {"source", workload.source},      {"seed", packing.seed},
                         {"packing", packing.policy},      {"tokens", packing.tokens},
                         {"documents", lengths.documents}, {"mean", lengths.mean},
                         {"shortest", lengths.shortest},   {"longest", lengths.longest}};
  object["quantiles"] = ordered_json::array();
  for (const LengthQuantile& q : lengths.quantiles) {
    object["quantiles"].push_back({{"share", q.share}, {"length", q.length}});
  }
  object["bins"] = ordered_json::array();
  for (const LengthBin& bin : lengths.bins) {
    object["bins"].push_back({{"from", bin.low},
                              {"to", 2 * bin.low},
                              {"documents", bin.documents},
                              {"tokens", bin.tokens}});
  }
  object["packs"] = ordered_json::array();
  for (const PackSummary& pack : report.packs) {
    object["packs"].push_back({{"tokens", pack.tokens},
                               {"documents", pack.documents},
                               {"longest", pack.longest},
                               {"sum_of_squares", pack.sum_of_squares},
                               {"causal_cells", pack.causal_pairs}});
  }
  return object.dump(2) + "\n";
}

struct WorkloadFlags {
  std::string name, format, packing, tokens, packs, seed;
};

int show_workload(const WorkloadFlags& flags) {
  const Format format = parse_format(flags.format);
  const std::unique_ptr<Workload> workload = find_workload(flags.name);
  RunSpec spec;  // flags are checked as the run fields of the same names
  for (const auto& [name, value] : {std::pair{"packing", flags.packing},
                                    {"tokens", flags.tokens},
                                    {"packs", flags.packs},
                                    {"seed", flags.seed}}) {
    const RunField& field = *find_run_field(name);
    try {
      set_field(field, spec, value.empty() ? field.default_value : value);
      if (name == std::string("packing")) require_known(field, "packing policy", spec.packing);
    } catch (const UserError& error) {
      throw UserError(std::string("--") + name + ": " + error.what());
    }
  }
  const PackingOptions packing{spec.tokens, spec.packs, spec.seed, spec.packing};
  const WorkloadReport report = summarize(*workload, packing);
  switch (format) {
    case Format::table:
      print(text(*workload, report));
      break;
    case Format::json:
      print(json(*workload, packing, report));
      break;
    default:
      print(render(histogram(report.lengths, false), format));
  }
  return kExitOk;
}

}  // namespace

void add_workload_command(CLI::App& app, Context& context) {
  Command command(app, "workload",
                  "Shows the document lengths of a workload and the packs made of them.\n"
                  "Examples:\n"
                  "  cpbench workload pile\n"
                  "  cpbench workload lognormal:mean=16K,sigma=2 --tokens 128K\n"
                  "  cpbench workload my_lengths.csv --format json\n");
  auto flags = std::make_shared<WorkloadFlags>();
  command.argument("name", flags->name, "a name of cpbench list workloads, or a file", "NAME");
  for (const auto& [name, value] : {std::pair{"packing", &flags->packing},
                                    {"tokens", &flags->tokens},
                                    {"packs", &flags->packs},
                                    {"seed", &flags->seed}}) {
    const RunField& field = *find_run_field(name);
    command.option("--" + std::string(field.name), *value,
                   fmt::format("{} [{}]", field.help, field.default_value), field.value_name);
  }
  add_format_flag(command, flags->format);
  command.action([flags, &context] { context.exit_code = show_workload(*flags); });
}

}  // namespace cpbench
