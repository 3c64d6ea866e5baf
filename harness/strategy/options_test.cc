#include "harness/strategy/options.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

const std::vector<OptionSpec> kSpecs = {
    {"ratio", OptionKind::number, "1.05", "", 1, 10, {}},
    {"rotate", OptionKind::boolean, "false", "", 0, 0, {}},
    {"solver", OptionKind::choice, "heuristic", "", 0, 0, {"heuristic", "exact"}},
    {"blocks", OptionKind::integer, "16", "", 1, 64, {}},
};

TEST(Options, DefaultsAndChanges) {
  Options options("s", kSpecs, {{"ratio", "1.2"}, {"rotate", "false"}});
  EXPECT_DOUBLE_EQ(options.number("ratio"), 1.2);
  EXPECT_FALSE(options.boolean("rotate"));
  EXPECT_EQ(options.integer("blocks"), 16);
  EXPECT_EQ(options.changed(), "ratio=1.2");
}

void expect_refusal(const std::string& name, const std::string& value, const std::string& message) {
  EXPECT_EQ(error_of([&] { Options("s", kSpecs, {{name, value}}); }), message);
}

TEST(Options, RefusalsSayWhatWouldBeRight) {
  expect_refusal("ration", "1.2", "unknown option of s 'ration'; did you mean 'ratio'?");
  expect_refusal("ratio", "0.5", "s.ratio is '0.5'; must be a number in [1, 10]");
  expect_refusal("ratio", "nan", "s.ratio is 'nan'; must be a number in [1, 10]");
  expect_refusal("rotate", "yes", "s.rotate is 'yes'; must be true or false");
  expect_refusal("solver", "cbc", "s.solver is 'cbc'; must be one of heuristic, exact");
  expect_refusal("blocks", "1.5", "s.blocks is '1.5'; must be a whole number in [1, 64]");
}

TEST(Registry, IsSortedAndNamedAsItsFolders) {
  ASSERT_FALSE(strategies().empty());
  for (size_t i = 0; i < strategies().size(); ++i) {
    const Strategy& s = *strategies()[i];
    if (i > 0) {
      EXPECT_LT(strategies()[i - 1]->name, s.name);
    }
    for (const std::string& word : {s.title, s.source, s.moves, s.constraints})
      EXPECT_FALSE(word.empty());
    Options defaults(s.name, s.options, {});
    for (const OptionSpec& spec : s.options) {  // a default is itself acceptable
      EXPECT_NO_THROW(Options(s.name, s.options, {{spec.name, spec.default_value}})) << spec.name;
      EXPECT_FALSE(spec.help.empty()) << spec.name;
    }
  }
}

}  // namespace
}  // namespace cpbench
