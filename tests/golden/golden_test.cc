// Plans small enough to verify by hand, one file each: <kind>/<strategy>/golden/<case>.txt.
//
//   # why this case is worth a look
//   problem lengths 9,3,2,2 ranks 2 heads 2:2 mask document_causal window 0
//   set mode=whole_doc
//
// The problem line may end with `cached 4,0,0,1`, tokens per document.
//
//   plan ranks 2 ...                 the plan's text form
//
// CPBENCH_UPDATE_GOLDEN=1 writes what the strategies plan now; the diff is the review.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/plan/check.h"
#include "harness/plan/names.h"
#include "harness/plan/plan_text.h"
#include "harness/source_tree/source_tree.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

struct GoldenCase {
  const Strategy* strategy = nullptr;
  fs::path path;
  std::string head;  // up to and with the empty line before the plan
  std::string plan;
  Problem problem;
  std::map<std::string, std::string> set;
};

std::vector<int64_t> numbers(const std::string& text) {
  std::vector<int64_t> out;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) out.push_back(std::stoll(item));
  return out;
}

void read_problem(std::istringstream& words, Problem& problem) {
  std::string word, lengths, mask;
  char colon = 0;
  words >> word >> lengths >> word >> problem.cluster.gpus_per_node >> word >>
      problem.shape.query_heads >> colon >> problem.shape.kv_heads >> word >> mask >> word >>
      problem.batch.window;
  if (!words) throw std::runtime_error("bad problem line");
  problem.batch.document_lengths = numbers(lengths);
  std::string cached;
  if (words >> word) {
    if (word != "cached" || !(words >> cached)) throw std::runtime_error("bad problem line");
    problem.batch.cached_tokens = numbers(cached);
  }
  problem.batch.mask = enum_named<Mask>(mask).value();
}

GoldenCase read_case(const Strategy& strategy, const fs::path& path) {
  GoldenCase golden{&strategy, path, "", "", {}, {}};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!golden.plan.empty() || line.starts_with("plan ")) {
      golden.plan += line + "\n";
      continue;
    }
    golden.head += line + "\n";
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "problem") read_problem(words, golden.problem);
    if (kind == "set") {
      for (std::string item; words >> item;) {
        size_t equals = item.find('=');
        golden.set[item.substr(0, equals)] = item.substr(equals + 1);
      }
    }
  }
  return golden;
}

class EveryStrategyGolden : public testing::TestWithParam<const Strategy*> {};

TEST_P(EveryStrategyGolden, PlansAsWritten) {
  const Strategy& strategy = *GetParam();
  std::vector<fs::path> files;
  for (const char* kind : {"methods", "baselines"}) {
    fs::path folder = source_tree() / kind / strategy.name / "golden";
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_FALSE(files.empty()) << strategy.name << " has no golden/*.txt";
  for (const fs::path& path : files) {
    SCOPED_TRACE(path.string());
    GoldenCase golden = read_case(strategy, path);
    validate(golden.problem);
    Plan plan = strategy.plan(golden.problem, Options(strategy.name, strategy.options, golden.set));
    CheckReport report = check(golden.problem, plan);
    for (const Violation& v : report.violations) ADD_FAILURE() << v.text();
    if (std::getenv("CPBENCH_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(path) << golden.head << plan_text(plan);
    } else {
      EXPECT_EQ(plan_text(plan), golden.plan) << "CPBENCH_UPDATE_GOLDEN=1 rewrites it";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategyGolden, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench
