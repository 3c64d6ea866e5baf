#include "harness/run/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/run/choices.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Product product_of(const std::vector<std::string>& strategies,
                   const std::vector<std::string>& settings = {}) {
  Product product;
  product.fields["strategy"] = {strategies, "--strategy"};
  product.settings = {settings, "--set"};
  return product;
}

bool has(const Candidates& candidates, const std::string& value) {
  return std::ranges::find(candidates.values, value) != candidates.values.end();
}

TEST(Candidates, of_every_strategy_are_few_and_valid) {
  constexpr size_t kMost = 40;  // strategy.h
  for (const Strategy* strategy : strategies()) {
    const Candidates candidates = candidates_of(product_of({strategy->name}));
    EXPECT_EQ(candidates.values.front(), strategy->name);
    EXPECT_LE(candidates.values.size(), kMost) << strategy->name;
    for (const OptionGrid& grid : strategy->tuning) {
      for (const std::string& value : grid.values) {
        const auto changed = changed_options(strategy->name, {{grid.option, value}});  // or throws
        EXPECT_FALSE(changed.empty()) << strategy->name << "." << grid.option << " is " << value;
      }
    }
  }
}

TEST(Candidates, are_all_combinations_with_the_defaults) {
  const Candidates candidates = candidates_of(product_of({"distca", "pass_q"}));
  EXPECT_EQ(candidates.values,
            (std::vector<std::string>{"distca", "distca:tolerance=0.05", "distca:tolerance=0.3",
                                      "distca:layout=contiguous",
                                      "distca:layout=contiguous,tolerance=0.05",
                                      "distca:layout=contiguous,tolerance=0.3", "pass_q"}));
  EXPECT_EQ(candidates.bases.at("distca:tolerance=0.3"), std::set<std::string>{"distca"});
}

TEST(Candidates, keep_options_that_were_given) {
  for (const Product& product :
       {product_of({"loongtrain:placement=context_first"}),
        product_of({"loongtrain"}, {"loongtrain.placement=context_first"})}) {
    const Candidates candidates = candidates_of(product);
    for (const std::string& value : candidates.values) {
      EXPECT_NE(value.find("placement=context_first"), std::string::npos) << value;
    }
    EXPECT_TRUE(has(candidates, "loongtrain:head_size=2,placement=context_first"));
  }
}

TEST(Candidates, of_a_strategy_that_is_given_twice_belong_to_both) {
  const Candidates candidates = candidates_of(product_of({"ring", "ring:per_document=true"}));
  EXPECT_EQ(candidates.values, (std::vector<std::string>{"ring", "ring:per_document=true"}));
  EXPECT_EQ(candidates.bases.at("ring:per_document=true"),
            (std::set<std::string>{"ring", "ring:per_document=true"}));
}

TEST(Candidates, leave_an_external_planner_as_it_is) {
  const Candidates candidates = candidates_of(product_of({"exec:./mine.py:alpha=2"}));
  EXPECT_EQ(candidates.values, std::vector<std::string>{"exec:./mine.py:alpha=2"});
}

}  // namespace
}  // namespace cpbench
