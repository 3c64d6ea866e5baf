// The checker against the oracle on broken plans: in a good plan one or two operations are dropped,
// duplicated, shifted in time, moved to another rank or given other tokens. Both must find the same
// rules broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "harness/plan/plan_text.h"
#include "harness/plan/test_problems.h"
#include "tests/contract/judge.h"
#include "tests/contract/oracle.h"

namespace cpbench::contract {
namespace {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  Plan mutate(Plan plan, std::string& what) {
    Pass& pass = below(2) == 0 ? plan.forward : plan.backward;
    if (!plan.keep.empty() && below(8) == 0) {
      mutate_keep(plan, what);
    } else if (!pass.sends.empty() && below(2) == 0) {
      mutate_send(plan, pass, what);
    } else if (!pass.attends.empty()) {
      mutate_attend(plan, pass, what);
    }
    for (Pass* p : {&plan.forward, &plan.backward}) restore_order(*p);
    return plan;
  }

 private:
  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  template <typename T>
  size_t any(const std::vector<T>& list) {
    return static_cast<size_t>(below(static_cast<int64_t>(list.size())));
  }
  SetId any_set(const Plan& plan) {
    return static_cast<SetId>(1 + below(plan.token_sets.count() - 1));
  }
  SetId one_rank(Plan& plan) {
    int64_t rank = below(plan.ranks);
    return plan.rank_sets.intern(Range{rank, rank + 1});
  }
  int32_t shifted(int32_t step) { return std::max<int32_t>(0, step + (below(2) == 0 ? -1 : 1)); }

  void mutate_keep(Plan& plan, std::string& what) {
    size_t i = any(plan.keep);
    switch (below(3)) {
      case 0:
        what += "; keep dropped";
        plan.keep.erase(plan.keep.begin() + static_cast<int64_t>(i));
        break;
      case 1:
        what += "; keep duplicated";
        plan.keep.push_back(plan.keep[i]);
        break;
      default:
        what += "; keep of other tokens";
        plan.keep[i].tokens = any_set(plan);
    }
  }

  void mutate_send(Plan& plan, Pass& pass, std::string& what) {
    size_t i = any(pass.sends);
    Send& send = pass.sends[i];
    switch (below(5)) {
      case 0:
        what += "; send dropped";
        pass.sends.erase(pass.sends.begin() + static_cast<int64_t>(i));
        break;
      case 1:
        what += "; send duplicated";
        pass.sends.push_back(Send(send));
        break;
      case 2:
        what += "; send shifted";
        send.step = shifted(send.step);
        break;
      case 3:
        what += "; send of other tokens";
        send.tokens = any_set(plan);
        break;
      default:
        what += "; send to another rank";
        if (plan.rank_sets.size_of(send.to) == 1) send.to = one_rank(plan);
    }
  }

  void mutate_attend(Plan& plan, Pass& pass, std::string& what) {
    size_t i = any(pass.attends);
    Attend& attend = pass.attends[i];
    switch (below(6)) {
      case 0:
        what += "; attend dropped";
        pass.attends.erase(pass.attends.begin() + static_cast<int64_t>(i));
        break;
      case 1:
        what += "; attend duplicated";
        pass.attends.push_back(Attend(attend));
        break;
      case 2:
        what += "; attend shifted";
        attend.step = shifted(attend.step);
        break;
      case 3:
        what += "; attend of other keys";
        attend.kv = any_set(plan);
        break;
      case 4:
        what += "; attend of other queries";
        attend.q = any_set(plan);
        break;
      default:
        what += "; attend on another rank";
        attend.rank = static_cast<int32_t>(below(plan.ranks));
    }
  }

  static void restore_order(Pass& pass) {
    std::stable_sort(pass.attends.begin(), pass.attends.end(),
                     [](const Attend& a, const Attend& b) {
                       return std::tie(a.step, a.rank) < std::tie(b.step, b.rank);
                     });
    std::stable_sort(pass.sends.begin(), pass.sends.end(), [](const Send& a, const Send& b) {
      return std::tie(a.step, a.substage) < std::tie(b.step, b.substage);
    });
    count_steps(pass);
  }

  std::mt19937_64 random_;
};

class EveryStrategyMutated : public testing::TestWithParam<const Strategy*> {};

TEST_P(EveryStrategyMutated, CheckerAgreesWithOracle) {
  Mutator mutator(11);
  int refused = 0;
  const auto agrees = [&](const Problem& problem, const Plan& good) -> std::string {
    if (!broken_rules(problem, good).empty()) return "the oracle refuses the plan itself";
    for (int i = 0; i < 25; ++i) {
      std::string what;
      Plan bad = mutator.mutate(good, what);
      if (i % 2 == 1) bad = mutator.mutate(bad, what);
      std::set<std::string> found;
      for (const Violation& v : check(problem, bad).violations) found.insert(v.rule);
      refused += !found.empty();
      if (found.contains("P1") || found.contains("P9")) continue;  // the oracle does not check them
      if (found != broken_rules(problem, bad)) {
        return "checker and oracle disagree" + what + "\n" + violations(problem, bad) +
               plan_text(bad);
      }
    }
    return "";
  };
  EXPECT_EQ(judge(random_problems(100, 24, 3), planner_of(*GetParam()), agrees).text(), "");
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategyMutated, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench::contract
