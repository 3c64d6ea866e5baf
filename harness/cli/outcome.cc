#include "harness/cli/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/cli/parameters.h"
#include "harness/plan/errors.h"

namespace cpbench {

Outcome outcome_of(const Result& result, const std::string& file, bool existed) {
  Outcome outcome;
  outcome.cell = result.cell;
  outcome.status = result.status;
  outcome.error = result.error;
  outcome.file = file;
  outcome.existed = existed;
  outcome.oversubscribed = result.oversubscribed;
  outcome.simulated = result.simulated;
  outcome.model_error = result.model_error;
  outcome.metrics = result.metrics;
  for (const PackResult& pack : result.packs) {
    if (!outcome.plan_hash.empty()) outcome.plan_hash += "+";
    outcome.plan_hash += fmt::format("{:016x}", pack.facts.hash);
  }
  return outcome;
}

std::string baseline_of(const std::vector<Cell>& cells, const std::string& wanted) {
  std::vector<std::string> names;
  for (const Cell& cell : cells) {
    if (std::find(names.begin(), names.end(), cell.strategy) == names.end()) {
      names.push_back(cell.strategy);
    }
  }
  const auto has = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!wanted.empty()) {
    if (has(wanted)) return wanted;
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw UserError("--baseline: '" + wanted +
                    "' is not among the strategies of this run: " + known);
  }
  if (has("allgather")) return "allgather";
  return names.empty() ? "" : names.front();
}

std::string strategy_text(const Cell& cell) {
  return cell.strategy + (cell.options.empty() ? "" : ":" + options_text(cell.options));
}

std::string shell_quoted(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string("_-./:=,+@").find(c) != std::string::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shell_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_quoted(word);
  return text;
}

std::string command_of(const Cell& cell) {
  std::string command = "cpbench run";
  for (const RunParameter& parameter : parameters()) {
    const std::string value = parameter.get(cell);
    if (value.empty()) continue;
    command += " --" + parameter.name + " " + shell_quoted(value);
  }
  for (const auto& [name, value] : cell.options) {
    command += " --set " + shell_quoted(cell.strategy + "." + name + "=" + value);
  }
  return command;
}

}  // namespace cpbench
