// The table of a sweep for people: what tells the runs apart, short numbers, ratios to a baseline.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"
#include "harness/run/places.h"

namespace cpbench {

// One row per run: the strategy with its options, then the other fields of a run.
Table field_table(const std::vector<RunSpec>& specs);

struct RunTable {
  std::string same{};  // what all runs have in common: "tokens 8K, ranks 4"
  Table fields{};      // the strategy and the fields in which runs differ
  Table values{};      // row by row of the same runs: status and metrics; no column if no run is ok
  std::string simulation{};           // by which models times are simulated; "" if none is
  std::vector<std::string> errors{};  // each with the runs that have it
};

struct RunTableOptions {
  std::string baseline;             // strategy to which ratios refer
  std::vector<std::string> keys{};  // columns that are kept, even when all runs have the same value
  bool interval = false;            // has the 95% interval of the time
  bool fold_single = false;         // the fields of a single run are folded too
};
RunTable run_table(const std::vector<Outcome>& outcomes, const RunTableOptions& options);

// The fields of a row after the strategy: "workload pile, ranks 4".
std::string words_of_row(const Table& fields, size_t row);

// "3", or "=3" for a tie.
std::string place_text(const Place& place);

// The keys of the columns that these tables can have: names of fields and metrics, "status", "run",
// "place".
std::vector<std::string> column_keys();
// The key that a user means, who may also give the heading of a metric, or "property.NAME" for what
// a strategy reports, which the table knows (properties.h). Throws UserError with the
// nearest key.
std::string column_key(const std::string& name);

}  // namespace cpbench
