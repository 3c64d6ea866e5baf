#include "methods/flashcp/exact.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <optional>

#include "harness/plan/errors.h"
#include "methods/flashcp/heuristic.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::flashcp {
namespace {

#ifdef CPBENCH_WITH_CBC

// What the program minimises; nullopt if the load is not within the ratio.
std::optional<double> cost_of(const Load& load, const ExactOptions& options) {
  const double sent = 1 - load.saving();
  if (options.objective == Objective::time) {
    return options.even_work_seconds * load.imbalance() + options.all_sent_seconds * sent;
  }
  if (load.imbalance() > options.ratio * (1 + 1e-12)) return std::nullopt;
  return sent;
}

// The least cost over every assignment of tokens to ranks; nullopt if none is within the ratio.
std::optional<double> least_by_enumeration(const std::vector<int64_t>& documents, int32_t ranks,
                                           const Visibility& sees, const ExactOptions& options) {
  std::vector<std::pair<int32_t, int64_t>> tokens;  // (document, position)
  for (size_t document = 0; document < documents.size(); ++document) {
    for (int64_t position = 0; position < documents[document]; ++position) {
      tokens.emplace_back(static_cast<int32_t>(document), position);
    }
  }
  const auto share = static_cast<int64_t>(tokens.size()) / ranks;
  const bool even = tokens.size() % ranks == 0;
  std::optional<double> best;
  std::vector<int32_t> rank_of(tokens.size());
  for (;;) {
    Shards shards;
    for (size_t t = 0; t < tokens.size(); ++t) {
      const auto [document, position] = tokens[t];
      shards.push_back({document, position, position + 1, rank_of[t]});
    }
    const Load load = load_of(normal_form(shards), documents, ranks, sees);
    bool equal = true;
    for (int64_t count : load.tokens) equal &= count >= share && count <= share + (even ? 0 : 1);
    const auto cost = equal ? cost_of(load, options) : std::nullopt;
    if (cost) best = std::min(best.value_or(*cost), *cost);
    size_t digit = 0;
    while (digit < rank_of.size() && ++rank_of[digit] == ranks) rank_of[digit++] = 0;
    if (digit == rank_of.size()) return best;
  }
}

TEST(Exact, AgreesWithEnumeration) {
  Random random(11);
  int feasible = 0;
  for (int i = 0; i < 30; ++i) {
    Batch batch;
    const auto ranks = static_cast<int32_t>(random.between(2, 3));
    for (int64_t left = ranks == 2 ? 10 : 7; left > 0;) {
      batch.document_lengths.push_back(random.between(1, left));
      left -= batch.document_lengths.back();
    }
    constexpr Mask masks[] = {Mask::document_causal, Mask::causal, Mask::document_full};
    batch.mask = masks[random.between(0, 2)];
    ExactOptions options{.objective = i % 2 ? Objective::time : Objective::bytes,
                         .ratio = 1 + 0.1 * static_cast<double>(random.between(0, 4)),
                         .granularity_tokens = 1,
                         .all_sent_seconds = 0.1 * static_cast<double>(random.between(1, 20))};
    const Visibility sees(batch);
    const auto documents = sees.documents(batch);
    const auto best = least_by_enumeration(documents, ranks, sees, options);
    if (!best) {
      EXPECT_THROW(place_exactly(documents, ranks, sees, options), Unsupported);
      continue;
    }
    ++feasible;
    const Load load =
        load_of(place_exactly(documents, ranks, sees, options), documents, ranks, sees);
    EXPECT_NEAR(cost_of(load, options).value_or(0), *best, 1e-9);
  }
  EXPECT_GT(feasible, 10);
  EXPECT_LT(feasible, 30);
}

TEST(Exact, HeuristicIsNeverBetter) {
  Random random(13);
  int within = 0;
  for (int i = 0; i < 20; ++i) {
    const Batch batch =
        fill_pack(14, [&] { return random.between(0, 2) ? random.between(1, 3) : 8; });
    const Visibility sees(batch);
    const double ratio = 1.2;
    const auto& documents = batch.document_lengths;
    const Load heuristic = load_of(place(documents, 2, sees, {.ratio = ratio}), documents, 2, sees);
    if (heuristic.imbalance() > ratio) continue;
    ++within;
    const Load exact = load_of(
        place_exactly(documents, 2, sees,
                      {.objective = Objective::bytes, .ratio = ratio, .granularity_tokens = 1}),
        documents, 2, sees);
    EXPECT_LE(exact.padded_tokens(), heuristic.padded_tokens());
  }
  EXPECT_GT(within, 8);
}

// The paper's constraint, whatever the units are; rounding to tokens moves the work a little.
TEST(Exact, SharesAreEqual) {
  const Batch batch{.document_lengths = {500, 310, 170, 90, 50}};
  const Visibility sees(batch);
  for (const Objective objective : {Objective::time, Objective::bytes}) {
    for (const int64_t granularity : {16, 50, 512}) {
      const Load load = load_of(
          place_exactly(batch.document_lengths, 3, sees,
                        {.objective = objective, .ratio = 1, .granularity_tokens = granularity}),
          batch.document_lengths, 3, sees);
      for (int64_t tokens : load.tokens) EXPECT_NEAR(tokens, 1120.0 / 3, 0.7);
      if (objective == Objective::bytes) EXPECT_LE(load.imbalance(), 1.02);
    }
  }
}

std::string refusal(const Batch& batch, const ExactOptions& options) {
  try {
    place_exactly(batch.document_lengths, 4, Visibility(batch), options);
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

TEST(Exact, RefusesWithTheNumbers) {
  EXPECT_EQ(
      refusal({.document_lengths = {3000}}, {.granularity_tokens = 1}),
      "solver=exact takes at most 8192 units x ranks, and there are 12000 with units of 1 tokens; "
      "raise granularity or use solver=heuristic");
  EXPECT_EQ(refusal({.document_lengths = {4, 4}, .mask = Mask::sliding_window, .window = 2}, {}),
            "solver=exact does not support sliding windows; use solver=heuristic");
  EXPECT_EQ(refusal({.document_lengths = {4}},
                    {.objective = Objective::bytes, .ratio = 1, .granularity_tokens = 1}),
            "solver=exact: no placement of units of 1 tokens on 4 ranks stays within ratio "
            "1.000000; raise ratio or lower granularity");
}

TEST(Exact, StopsAtTheNodeLimit) {
  const Batch batch{.document_lengths = {37, 23, 19, 13, 11, 7, 5, 3}};
  const std::string message = refusal(batch, {.granularity_tokens = 1, .limits = {.nodes = 1}});
  EXPECT_EQ(message,
            "solver=exact: no proof within 1 nodes for units of 1 tokens; raise nodes or "
            "granularity");
}

// CBC searches this for hours.
const Batch kLongSearch{.document_lengths = {61, 47, 37, 29, 23, 19, 17, 13, 11, 7, 5, 3}};

TEST(Exact, StopsAtTheTimeLimit) {
  const std::string message =
      refusal(kLongSearch, {.granularity_tokens = 1, .limits = {.seconds = 0.2}});
  EXPECT_EQ(message,
            "solver=exact: no proof within 0.2 s for units of 1 tokens; raise seconds or "
            "granularity");
}

TEST(Exact, EndsWithAnErrorAtTheDeadlineOfThePlanning) {
  ExactOptions options{.granularity_tokens = 1};
  options.limits.solver = "the solver of flashcp";
  options.limits.planning->deadline = Deadline(0.2);
  try {
    place_exactly(kLongSearch.document_lengths, 4, Visibility(kLongSearch), options);
    FAIL();
  } catch (const DidNotEnd& error) {
    EXPECT_STREQ(error.what(), "the solver of flashcp did not end within 0.2 s");
  }
}

TEST(Exact, CountsTheTimeOfTheSolver) {
  const Batch batch{.document_lengths = {50, 31, 17, 9, 5}};
  const ExactOptions options{.granularity_tokens = 8};
  place_exactly(batch.document_lengths, 3, Visibility(batch), options);
  EXPECT_GT(options.limits.planning->child_seconds, 0);
}

TEST(Exact, SimpleProblems) {
  for (const std::vector<int64_t>& documents :
       {std::vector<int64_t>{8}, {1}, {4, 4, 4, 4}, std::vector<int64_t>(40, 1)}) {
    const Batch batch{.document_lengths = documents};
    for (int32_t ranks : {2, 4}) {
      const Load load = load_of(
          place_exactly(documents, ranks, Visibility(batch),
                        {.objective = Objective::bytes, .ratio = 100, .granularity_tokens = 1}),
          documents, ranks, Visibility(batch));
      const bool splits = documents.size() == 1 && documents.front() > 1;
      EXPECT_EQ(load.padded_tokens() > 0, splits) << documents.size() << " on " << ranks;
    }
  }
}

#else

TEST(Exact, WithoutCbcNamesThePackage) {
  const Batch batch{.document_lengths = {4}};
  try {
    place_exactly(batch.document_lengths, 2, Visibility(batch), {});
    FAIL();
  } catch (const Unsupported& error) {
    EXPECT_NE(std::string(error.what()).find("coinor-libcbc-dev"), std::string::npos);
  }
}

#endif

TEST(Exact, OneRankNeedsNoSolver) {
  const Batch batch{.document_lengths = {37, 1, 5000}, .mask = Mask::sliding_window, .window = 2};
  const Visibility sees(batch);
  const Load load =
      load_of(place_exactly(batch.document_lengths, 1, sees, {.granularity_tokens = 1}),
              batch.document_lengths, 1, sees);
  EXPECT_EQ(load.tokens, (std::vector<int64_t>{5038}));
  EXPECT_EQ(load.padded_tokens(), 0);
}

}  // namespace
}  // namespace cpbench::flashcp
