// Measured times of the same runs, from commit to commit, in one HDF5 file that grows.
//
//   History history = read_history("history.h5");
//   history.points.push_back(...);
//   write_history("history.h5", history);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

struct HistoryPoint {
  std::string run_id;
  std::string words;         // "ring, workload pile, tokens 8K": the run for people
  std::string machine;       // fingerprint, as in a result's provenance
  std::string commit;        // 40 hex digits, and "+" for uncommitted changes
  int64_t start_utc = 0;     // of the measurement, as the digits 20261130154500
  double seconds = 0;        // median of an iteration
  double low = 0, high = 0;  // 95% interval of it; both `seconds` with too few iterations

  bool operator==(const HistoryPoint&) const = default;
};

struct History {
  std::vector<HistoryPoint> points;
};

// Throws UserError for a file that is missing or is no history.
History read_history(const std::string& path);
void write_history(const std::string& path, const History& history);

}  // namespace cpbench
