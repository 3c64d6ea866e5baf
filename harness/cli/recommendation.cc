#include "harness/cli/recommendation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/human.h"
#include "harness/cli/json_number.h"
#include "harness/cli/measuring.h"
#include "harness/cli/run_table.h"
#include "harness/cli/shell_lines.h"
#include "harness/cli/text.h"
#include "harness/machines/whole_runs.h"

namespace cpbench {
namespace {

using nlohmann::ordered_json;

double value_of(const Outcome& outcome, const std::string& metric) {
  const double* value = outcome.metric(metric);
  return value ? *value : 0;
}

double seconds_per_pack(const Outcome& outcome) {
  return value_of(outcome, "iteration_seconds") / outcome.spec.packs;
}

// Where the time goes, as shares of it, largest first.
std::vector<std::pair<std::string, double>> shares_of(const Outcome& outcome) {
  const auto part = [&](const std::string& metric) { return value_of(outcome, "time_" + metric); };
  const double total = part("total");
  std::vector<std::pair<std::string, double>> shares = {
      {"compute", part("ideal") + part("kernel_inefficiency")},
      {"imbalance", part("imbalance")},
      {"communication", part("exposed_communication") + part("padding")},  // exposed
      {"copies", part("copies")},
      {"layer", part("layer")},
      {"host", part("host")},
      {"other", part("other")},
  };
  for (auto& [name, share] : shares) share = total > 0 ? share / total : 0;
  std::ranges::stable_sort(shares, std::ranges::greater(), [](const auto& s) { return s.second; });
  return shares;
}

// The largest part besides the layer, which is the same for all strategies.
std::string bound_by(const Outcome& outcome) {
  for (const auto& [name, share] : shares_of(outcome)) {
    if (name != "layer") return fmt::format("{} {:.0f}%", name, 100 * share);
  }
  return "";
}

// How much longer the strategy takes as it was given; 0 if it has no time.
double gain_of(const Tuned& run) {
  return run.given.status == Status::ok ? seconds_per_pack(run.given) / seconds_per_pack(run.best)
                                        : 0;
}

std::string gain_text(const Tuned& run) {
  if (!run.is_tuned()) return "";
  return run.given.status == Status::ok ? times(gain_of(run)) : name_of(run.given.status);
}

Table table_of(const Ranking& ranking) {
  Table table{{{"strategy"},
               {"place", true, 9},
               {"time per pack", true, 9},
               {"time / best", true, 8},
               {"tuning gains", true, 6},
               {"bound by", false, 8},
               {"options", false, 7},
               {"bytes per pack", true, 4},
               {"peak bytes", true, 4},
               {"error", true, 3},
               {"packs", true, 2}},
              {}};
  for (const Recommended& row : ranking.ranked) {
    const Outcome& best = row.run.best;
    table.rows.push_back({best.spec.strategy, place_text(row.place),
                          short_seconds(seconds_per_pack(best)), times(row.run.slowdown),
                          gain_text(row.run), bound_by(best), options_text(best.spec.options),
                          short_bytes(value_of(best, "wire_bytes") / best.spec.packs),
                          short_bytes(value_of(best, "peak_bytes")),
                          fmt::format("{:.0f}%", 100 * row.error),
                          std::to_string(best.spec.packs)});
  }
  return table;
}

ordered_json json_of(const Tuned& run, const Recommended* ranked) {
  const RunSpec& spec = run.best.spec;
  ordered_json row = {{"strategy", spec.strategy},
                      {"options", spec.options},
                      {"status", name_of(run.best.status)},
                      {"error", run.best.error},
                      {"file", run.best.file}};
  if (ranked == nullptr) return row;
  row["place"] = ranked->place.place;
  row["tied"] = ranked->place.tied;
  row["seconds_per_pack"] = json_number(seconds_per_pack(run.best));
  row["seconds_over_best"] = json_number(run.slowdown);
  row["relative_error"] = json_number(ranked->error);
  row["model_error"] = run.best.model_error;
  row["given_options"] = run.given.spec.options;
  row["given_status"] = name_of(run.given.status);
  row["given_over_tuned"] = json_number(gain_of(run));
  row["shares_of_time"] = ordered_json::object();
  for (const auto& [name, share] : shares_of(run.best)) row["shares_of_time"][name] = share;
  row["bytes_per_pack"] = json_number(value_of(run.best, "wire_bytes") / spec.packs);
  row["peak_bytes"] = json_number(value_of(run.best, "peak_bytes"));
  row["packs"] = spec.packs;
  row["command"] = measuring_command(spec);
  return row;
}

std::string json(const Ranking& ranking) {
  ordered_json rows = ordered_json::array();
  for (const Recommended& row : ranking.ranked) rows.push_back(json_of(row.run, &row));
  for (const Tuned& run : ranking.others) rows.push_back(json_of(run, nullptr));
  return json_text(rows, 2) + "\n";
}

// Which strategies were given up after the first packs.
std::string left_behind(const Ranking& ranking) {
  int32_t most = 0;
  for (const Recommended& row : ranking.ranked) most = std::max(most, row.run.best.spec.packs);
  std::vector<std::string> names;
  for (const Recommended& row : ranking.ranked) {
    if (row.run.best.spec.packs < most) names.push_back(row.run.best.spec.strategy);
  }
  if (names.empty()) return "";
  return fmt::format(
      "Simulated on the first pack only, because they took more than twice as long as the fastest: "
      "{}. Their times are of that pack.",
      fmt::join(names, ", "));
}

// What the order says and what it does not.
std::string verdict(const Ranking& ranking) {
  std::vector<std::string> first;
  for (const Recommended& row : ranking.ranked) {
    if (row.place.place == 1) first.push_back(row.run.best.spec.strategy);
  }
  if (first.size() == 1) {
    return first.front() + " is faster than all others by more than the error of simulated times.";
  }
  return fmt::format(
      "{} are tied: their times differ by less than the error of simulated times, so measure them.",
      fmt::join(first, ", "));
}

}  // namespace

Ranking ranking_of(const std::vector<Tuned>& tuned) {
  Ranking ranking;
  std::vector<UncertainTime> times;
  for (const Tuned& run : tuned) {
    if (!(run.slowdown > 0)) {
      ranking.others.push_back(run);
      continue;
    }
    const double error = mean_error_of(run.best.model_error);
    times.push_back({run.slowdown, run.slowdown, run.slowdown, error});
    ranking.ranked.push_back({run, {}, error});
  }
  const std::vector<Place> places = places_of(times);
  for (size_t i = 0; i < places.size(); ++i) ranking.ranked[i].place = places[i];
  std::ranges::stable_sort(ranking.ranked, {}, [](const Recommended& row) {
    return std::pair(row.place.place, row.run.slowdown);
  });
  return ranking;
}

std::string recommendation_text(const Ranking& ranking, Format format, const View& view) {
  if (format == Format::json) return json(ranking);
  Table table = table_of(ranking);
  if (format == Format::csv) return render(table, format);
  std::vector<Outcome> shown, others;
  for (const Recommended& row : ranking.ranked) shown.push_back(row.run.best);
  for (const Tuned& run : ranking.others) shown.push_back(run.best);
  const RunTable runs = run_table(shown, {});
  std::string text;
  if (!ranking.ranked.empty()) {
    text = render(table, format, view) + "\n" + prose(verdict(ranking), format, view.width);
    const std::string behind = left_behind(ranking);
    if (!behind.empty()) text += prose(behind, format, view.width);
  }
  for (const std::string& error : runs.errors) text += prose(error, format, view.width);
  if (ranking.ranked.empty()) return text;
  return text + "\n" + prose(runs.simulation, format, view.width) + "\nTo measure the first:\n" +
         shell_lines(measuring_command(ranking.ranked.front().run.best.spec), view.width);
}

}  // namespace cpbench
