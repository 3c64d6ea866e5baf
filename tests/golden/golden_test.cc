// Plans small enough to verify by hand, one file each: <kind>/<strategy>/golden/<case>.txt.
//
//   # why this case is worth a look
//   problem lengths 9,3,2,2 ranks 4 nodes 2 heads 2:2 mask document_causal window 0
//   set mode=whole_doc
//
//   plan ranks 4 ...                 the plan's text form
//
// `nodes` is 1 if it is not given; `cached 4,0,0,1` gives the cached tokens of each document, and
// `parents -1,0,0,2` its parent.
//
// CPBENCH_UPDATE_GOLDEN=1 replaces each plan with what the strategy plans now; review the diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/plan/names.h"
#include "harness/plan/plan_text.h"
#include "harness/plan/test_problems.h"
#include "harness/source_tree/source_tree.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

struct GoldenCase {
  const Strategy* strategy = nullptr;
  fs::path path;
  std::string head;  // all lines before the plan
  std::string plan;
  Problem problem;
  std::map<std::string, std::string> set;
};

std::vector<int64_t> numbers(const std::string& text, char separator = ',') {
  std::vector<int64_t> out;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, separator);) out.push_back(std::stoll(item));
  return out;
}

Problem read_problem(std::istringstream& words) {
  std::map<std::string, std::string> fields = {{"nodes", "1"}, {"cached", ""}, {"parents", ""}};
  for (std::string name, value; words >> name >> value;) fields[name] = value;
  const auto number = [&](const char* name) { return std::stoi(fields.at(name)); };
  const std::vector<int64_t> heads = numbers(fields.at("heads"), ':');
  const int32_t nodes = number("nodes"), ranks = number("ranks");
  if (fields.size() != 8 || ranks % nodes != 0) throw std::runtime_error("bad problem line");
  Problem problem;
  problem.batch = {numbers(fields.at("lengths")), enum_named<Mask>(fields.at("mask")).value(),
                   number("window"), numbers(fields.at("cached"))};
  for (int64_t parent : numbers(fields.at("parents"))) {
    problem.batch.parents.push_back(static_cast<int32_t>(parent));
  }
  problem.shape.query_heads = static_cast<int32_t>(heads.at(0));
  problem.shape.kv_heads = static_cast<int32_t>(heads.at(1));
  problem.cluster.nodes = nodes;
  problem.cluster.gpus_per_node = ranks / nodes;
  return problem;
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
    if (kind == "problem") golden.problem = read_problem(words);
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
    EXPECT_EQ(violations(golden.problem, plan), "");
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
