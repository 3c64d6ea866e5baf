#include "harness/cli/result_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "harness/plan/errors.h"
#include "harness/run/shard.h"
#include "harness/store/result_file.h"

namespace cpbench {

std::vector<std::string> result_files(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw UserError(path + ": " + (error ? error.message() : "no such file or folder"));
  }
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  fs::recursive_directory_iterator entry(path, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".h5") files.push_back(entry->path().string());
  }
  if (error) throw UserError(path + ": " + error.message());
  if (files.empty()) throw UserError(path + ": no result files (.h5) in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<StoredRun> read_runs(const std::string& path) {
  std::vector<StoredRun> runs;
  const std::vector<std::string> files = result_files(path);
  for (const std::string& file : files) {
    try {
      const Result result = read_result_head(file);
      runs.push_back({outcome_of(result, file, false), result.provenance});
    } catch (const UserError& error) {
      if (files.size() == 1) throw;
      fmt::print(stderr, "cpbench: warning: {}; the file is left out\n", error.what());
    }
  }
  if (runs.empty()) throw UserError(path + ": no result file (.h5) in this folder can be read");
  std::ranges::stable_sort(runs, {}, [](const StoredRun& run) {
    const RunSpec& spec = run.outcome.spec;
    return std::tuple(spec.ranks, spec.tokens, spec.workload, spec.strategy);
  });
  return runs;
}

std::string missing_runs(const std::string& path, const std::vector<StoredRun>& runs) {
  constexpr size_t kMostNames = 3;
  if (!std::filesystem::is_directory(path)) return "";
  std::vector<std::string> found;
  for (const StoredRun& run : runs) found.push_back(run.outcome.file);
  Expected expected = expected_in(path, found);
  const size_t count = expected.missing.size();
  if (count == 0) return "";
  expected.missing.resize(std::min(count, kMostNames));
  return fmt::format("{} of {} runs of the sweep are missing: {}{}", count, expected.runs,
                     fmt::join(expected.missing, ", "),
                     count > kMostNames ? fmt::format(" and {} more", count - kMostNames) : "");
}

std::vector<Outcome> outcomes_of(const std::vector<StoredRun>& runs) {
  std::vector<Outcome> outcomes;
  for (const StoredRun& run : runs) outcomes.push_back(run.outcome);
  return outcomes;
}

std::string provenance_of(const StoredRun& run, const std::string& key) {
  const auto found = run.provenance.find(key);
  return found == run.provenance.end() ? "" : found->second;
}

std::string source_of(const Outcome& outcome) {
  if (outcome.spec.backend == "plan") return "planned";
  return outcome.simulated || outcome.spec.backend == "simulate" ? "simulated" : "measured";
}

}  // namespace cpbench
