// What a table, a JSON object or a CSV row says about one cell: the result without its bulk.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/measure/result.h"

namespace cpbench {

struct Outcome {
  Cell cell;
  Status status = Status::ok;
  std::string error;
  std::string file;      // "" if nothing was written
  bool existed = false;  // of an earlier run
  bool oversubscribed = false;
  bool simulated = false;   // times are of a model
  std::string model_error;  // of that model
  std::string plan_hash;    // 16 hex digits per pack, joined by '+'
  std::vector<MetricValue> metrics;
};

Outcome outcome_of(const Result& result, const std::string& file, bool existed);

// The strategy that ratios refer to: `wanted`, else allgather, else the first. Throws UserError if
// `wanted` is not there.
std::string baseline_of(const std::vector<Cell>& cells, const std::string& wanted);

// The table for people (columns that vary, short numbers, ratio to the baseline), or everything as
// CSV or JSON.
std::string report(const std::vector<Outcome>& outcomes, const std::string& baseline,
                   Format format);

std::string strategy_text(const Cell& cell);  // "flashcp:ratio=1.2"

// "cpbench run --strategy ring --workload pile ...": the command that makes this cell again.
std::string command_of(const Cell& cell);
std::string shell_quoted(const std::string& word);
std::string shell_text(const std::vector<std::string>& words);

}  // namespace cpbench
