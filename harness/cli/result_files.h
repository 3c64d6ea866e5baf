// Results that are kept in files.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/run/outcome.h"

namespace cpbench {

// `path` itself if it is a file, else all .h5 below it, sorted. Throws UserError if there is none.
std::vector<std::string> result_files(const std::string& path);

struct StoredRun {
  Outcome outcome;
  std::map<std::string, std::string> provenance;  // where it was made: results/SCHEMA.md
};

// All of them, as a sweep orders them: the strategies of one problem are neighbours. A file of a
// folder that cannot be read is left out with a warning. Throws UserError if none is left.
std::vector<StoredRun> read_runs(const std::string& path);
// "3 of 40 runs are missing: ring-pile-4K-8r-...h5, and 2 more" for a folder into which parts of a
// sweep are copied (cpbench run --shard); "" where nothing is missing.
std::string missing_runs(const std::string& path, const std::vector<StoredRun>& runs);

std::vector<Outcome> outcomes_of(const std::vector<StoredRun>& runs);

// The value of the provenance; "" if the file does not have it.
std::string provenance_of(const StoredRun& run, const std::string& key);

// Where its times are from: "measured", "simulated", or "planned" where it has none.
std::string source_of(const Outcome& outcome);

}  // namespace cpbench
