#include "harness/run/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/plan/text_hash.h"
#include "harness/store/atomic_file.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "expected-";
constexpr const char* kEnding = ".txt";

// nullopt unless the text is a whole number of at least `least`.
std::optional<int32_t> whole(const std::string& text, int32_t least) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    return std::nullopt;
  }
  return value;
}

int32_t of_environment(const char* name) {
  const char* text = std::getenv(name);
  const std::optional<int32_t> value = text ? whole(text, 0) : std::nullopt;
  if (!value) {
    throw UserError(fmt::format("--shard: slurm requires the environment variable {}, which is {}",
                                name, text ? fmt::format("'{}'", text) : "not set"));
  }
  return *value;
}

Shard of_slurm() {
  const int32_t task = of_environment("SLURM_ARRAY_TASK_ID");
  const int32_t first = of_environment("SLURM_ARRAY_TASK_MIN");
  const int32_t last = of_environment("SLURM_ARRAY_TASK_MAX");
  const int32_t count = of_environment("SLURM_ARRAY_TASK_COUNT");
  if (last - first + 1 != count || task < first || task > last) {
    throw UserError(
        fmt::format("--shard: the tasks of the Slurm array must follow one another, like "
                    "--array=1-8; there are {} from {} to {}",
                    count, first, last));
  }
  return {task - first + 1, count};
}

bool is_expected_list(const fs::path& path) {
  return path.filename().string().starts_with(kPrefix) && path.extension() == kEnding;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  if (text == "slurm") return of_slurm();
  const size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const auto number = whole(text.substr(0, slash), 1), of = whole(text.substr(slash + 1), 1);
    if (number && of && *number <= *of) return {*number, *of};
  }
  throw UserError("--shard: '" + text +
                  "' is not valid; must be a part and the number of parts, like 3/8, or slurm");
}

std::vector<size_t> part_of(const std::vector<std::string>& keys, const Shard& shard) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(hash_of_text(keys[i]), keys[i]); });
  std::vector<size_t> part;
  for (auto i = static_cast<size_t>(shard.number - 1); i < order.size();
       i += static_cast<size_t>(shard.of)) {
    part.push_back(order[i]);
  }
  std::ranges::sort(part);
  return part;
}

void write_expected(const std::string& folder, std::vector<std::string> names) {
  std::ranges::sort(names);
  const std::string text = fmt::format("{}\n", fmt::join(names, "\n"));
  fs::create_directories(folder);
  const std::string name = kPrefix + hex16(hash_of_text(text)) + kEnding;
  write_atomically((fs::path(folder) / name).string(), text);
}

Expected expected_in(const std::string& folder, const std::vector<std::string>& found) {
  std::set<std::string> there, expected;
  for (const std::string& file : found) there.insert(fs::path(file).filename().string());
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!is_expected_list(entry.path())) continue;
    std::istringstream lines(read_input("list of runs", entry.path().string(), kAnySize));
    for (std::string line; std::getline(lines, line);) expected.insert(line);
  }
  Expected all{expected.size(), {}};
  std::ranges::set_difference(expected, there, std::back_inserter(all.missing));
  return all;
}

}  // namespace cpbench
