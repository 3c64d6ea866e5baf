#include "harness/store/plan_file.h"

#include <gtest/gtest.h>

#include "harness/plan/errors.h"
#include "harness/plan/plan_text.h"
#include "harness/store/plan_hdf5.h"
#include "harness/store/result_file.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

PlannedProblem sample(const std::string& strategy, int32_t ranks, std::vector<int64_t> lengths) {
  Problem problem{{std::move(lengths)}, {4, 2, 32, 16, Dtype::bfloat16, 256, 1024}, {}};
  problem.cluster = {"two \"nodes\"", 2, ranks / 2, 1e15, 8e10, 3.35e12, 4.5e11, 5e10};
  if (ranks == 1) problem.cluster.nodes = problem.cluster.gpus_per_node = 1;
  Plan plan = sample_plan(problem, strategy);
  return {problem, plan};
}

Hdf5Reader from_file(const std::string& path) { return {path, bytes_of(path)}; }

template <typename F>
std::string error_of(F run) {
  try {
    run();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// The message after one replacement in a good document.
std::string error_after(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return error_of([&] { plan_from_json(text); });
}

TEST(PlanFile, EveryFormComesBackTheSame) {
  TemporaryFolder folder;
  for (const char* ending : {"plan.json", "plan.h5", "plan.txt"}) {
    for (const char* strategy : {"ring", "allgather"}) {
      for (auto [ranks, lengths] :
           {std::pair(1, std::vector<int64_t>{1}), std::pair(4, std::vector<int64_t>{17, 1, 46}),
            std::pair(8, std::vector<int64_t>{3})}) {  // empty ranks
        const PlannedProblem planned = sample(strategy, ranks, lengths);
        save_plan_file(folder / ending, planned);
        const auto loaded = load_plan_file(folder / ending);
        ASSERT_EQ(loaded.size(), 1u);
        EXPECT_EQ(loaded[0].problem, planned.problem) << ending;
        EXPECT_EQ(loaded[0].plan, planned.plan) << ending;
        EXPECT_EQ(hash_of(loaded[0].plan), hash_of(planned.plan));
      }
    }
  }
}

TEST(PlanFile, CachedTokensParentsAndRulesComeBack) {
  TemporaryFolder folder;
  PlannedProblem planned = sample("ring", 4, {17, 1, 46});
  planned.problem.batch.cached_tokens = {16, 1, 0};
  planned.problem.batch.parents = {-1, 0, 0};
  planned.problem.batch.rules = {{Mask::document_full, 0}, {}, {Mask::chunked, 16}};
  for (const char* ending : {"plan.json", "plan.h5", "plan.txt"}) {
    save_plan_file(folder / ending, planned);
    EXPECT_EQ(load_plan_file(folder / ending).at(0).problem, planned.problem) << ending;
  }
}

// Schema 1.0.0 has no cached tokens, parents and rules; a later 1.x may have more keys.
TEST(PlanFile, EveryJsonFileOfTheMajorVersionIsRead) {
  const PlannedProblem planned = sample("ring", 4, {17, 1, 46});
  const std::string now = planned_problem_json(planned);
  const auto with = [&](std::string text, const std::string& from, const std::string& to) {
    EXPECT_NE(text.find(from), std::string::npos) << from;
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string version = "\"schema_version\":\"" + std::string(kSchemaVersion) + "\"";
  const auto of_version = [&](const std::string& text, const std::string& number) {
    return with(text, version, "\"schema_version\":\"" + number + "\"");
  };
  std::string first = of_version(now, "1.0.0");
  first = with(first, ",\"cached_tokens\":[],\"parents\":[],\"rules\":[]", "");
  EXPECT_EQ(planned_problem_from_json(first).problem, planned.problem);
  EXPECT_EQ(planned_problem_from_json(first).plan, planned.plan);

  std::string later = with(now, "\"hidden_size\"", "\"rotary\":true,\"hidden_size\"");
  later = with(later, "\"kind\"", "\"author\":\"x\",\"kind\"");
  EXPECT_EQ(planned_problem_from_json(of_version(later, "1.999.0")).plan, planned.plan);
  EXPECT_EQ(error_of([&] { planned_problem_from_json(later); }),
            "the document has an unknown key 'author'; known: kind, plan, problem, schema_version");
  for (const char* number : {"2.0.0", "0.9.0", "one", ""}) {
    EXPECT_EQ(error_of([&] { planned_problem_from_json(of_version(now, number)); }),
              "the document.schema_version is \"" + std::string(number) + "\"; must be \"1.x\"");
  }
}

TEST(PlanFile, AResultFileHoldsOnePlanPerPack) {
  TemporaryFolder folder;
  const Result result = sample_result({.packs = 3});
  write_result(folder / "result.h5", result);
  const auto loaded = load_plan_file(folder / "result.h5");
  ASSERT_EQ(loaded.size(), 3u);
  EXPECT_EQ(loaded[2].plan, result.packs[2].plan);
  EXPECT_EQ(loaded[2].problem.batch, result.packs[2].batch);
  write_result(folder / "result.h5", sample_result({.status = Status::unsupported}));
  EXPECT_NE(error_of([&] {
              load_plan_file(folder / "result.h5");
            }).find("is a result without a plan (status unsupported)"),
            std::string::npos);
}

TEST(PlanFile, UnreadableFilesAreNamed) {
  TemporaryFolder folder;
  auto error = [&](const std::string& name) {
    return error_of([&] { load_plan_file(folder / name); });
  };
  EXPECT_NE(
      error("plan.yaml").find("plan.yaml: the name of a plan file must end in .json, .h5 or .txt"),
      std::string::npos);
  EXPECT_NE(error("plan.json").find("plan.json': it does not exist"), std::string::npos);
  EXPECT_NE(error("plan.h5").find("plan.h5': it does not exist"), std::string::npos);
  std::filesystem::create_directory(folder / "folder.json");
  EXPECT_NE(error("folder.json").find("it is a folder"), std::string::npos);
  std::ofstream(folder / "plan.json") << "";
  EXPECT_NE(error("plan.json").find("plan.json: the plan file is not JSON: it is empty"),
            std::string::npos);
  std::ofstream(folder / "plan.json") << "{\"kind\": 1,\n oops";
  EXPECT_NE(error("plan.json").find("line 2"), std::string::npos);
  std::ofstream(folder / "plan.txt") << "plan ranks 1\n";
  EXPECT_NE(error("plan.txt").find("line 1: must be `problem {...}`"), std::string::npos);
}

TEST(PlanFile, LinesOfTheTextFormKeepTheirNumbers) {
  TemporaryFolder folder;
  const PlannedProblem planned = sample("ring", 4, {64});
  const std::string text = plan_text(planned.plan);
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  std::ofstream(folder / "a.txt") << "problem " << problem_json(planned.problem) << "\n"
                                  << text << "nonsense\n";
  EXPECT_NE(error_of([&] {
              load_plan_file(folder / "a.txt");
            }).find("line " + std::to_string(lines + 2) + ":"),
            std::string::npos);
}

TEST(PlanJson, RefusalsNameThePlaceAndWhatItMustBe) {
  const std::string good = plan_json(sample("allgather", 4, {64}).plan);
  EXPECT_EQ(error_after(good, "\"kv\"", "\"kvs\""),
            "plan.forward.sends[0][4] is \"kvs\"; must be one of q, kv, o, do, dq, dkv");
  EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":0"),
            "plan.ranks is 0; must be a whole number from 1 to 2147483647");
  EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":4.5"),
            "plan.ranks is 4.5; must be a whole number from 1 to 2147483647");
  EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":99999999999999999999"),
            "plan.ranks is 1e+20; must be a whole number from 1 to 2147483647");
  EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":18446744073709551615"),
            "plan.ranks is 18446744073709551615; must be a whole number from 1 to 2147483647");
  EXPECT_EQ(error_after(good, "\"ranks\":4,", ""), "plan lacks the key 'ranks'");
  EXPECT_EQ(error_after(good, "{\"ranks\"", "{\"rank\":1,\"ranks\""),
            "plan has an unknown key 'rank'; did you mean 'ranks'?");
  EXPECT_EQ(error_after(good, "\"token_sets\":[[]", "\"token_sets\":[[[0,9]]"),
            "plan.token_sets[0] is [[0,9]]; must be [], the empty set");
  EXPECT_EQ(error_after(good, "[[0,16]]", "[[16,0]]"),
            "plan.token_sets[1] is [[16,0]]; must be ranges that are sorted, disjoint, joined "
            "where they touch");
  EXPECT_EQ(error_after(good, "[[16,32]]", "[[0,16]]"),
            "plan.token_sets[2] repeats an earlier set");
  EXPECT_EQ(error_after(good, "[[0,16]]", "[[0]]"),
            "plan.token_sets[1][0] is [0]; must be [begin, end]");
  EXPECT_EQ(error_after(good, "all_gather", "allgather"),
            "plan.forward.collectives[0][0] is \"allgather\"; must be one of all_gather, "
            "reduce_scatter, all_to_all");
  EXPECT_EQ(error_of([] { plan_from_json("[]"); }), "plan is []; must be an object");
  EXPECT_EQ(error_of([] { plan_from_json(""); }), "the plan is not JSON: it is empty");
}

TEST(PlanJson, DeepNestingIsRefused) {
  const std::string good = plan_json(sample("allgather", 4, {64}).plan);
  for (const size_t levels : {size_t{40}, size_t{1'000'000}}) {
    for (const std::string open : {"[", "{\"a\":"}) {
      std::string deep;
      for (size_t i = 0; i < levels; ++i) deep += open;
      EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":" + deep),
                "the plan is nested in more than 32 levels");
    }
  }
}

TEST(PlanJson, AKeyThatIsThereTwiceIsRefused) {
  const std::string good = plan_json(sample("allgather", 4, {64}).plan);
  EXPECT_EQ(error_after(good, "\"ranks\":4", "\"ranks\":4,\"ranks\":8"),
            "the plan has the key 'ranks' twice in one object");
  EXPECT_EQ(error_after(good, "\"lookahead\":", "\"sends\":[],\"lookahead\":"),
            "the plan has the key 'sends' twice in one object");
  EXPECT_EQ(error_after(good, "{\"ranks\"", "{\"a\\nb\":{},\"a\\nb\":{},\"ranks\""),
            "the plan has the key 'a b' twice in one object");
}

TEST(PlanJson, ProblemsAreValidated) {
  const std::string good = problem_json(sample("ring", 4, {64}).problem);
  std::string text = good;
  text.replace(text.find("\"kv_heads\":2"), 12, "\"kv_heads\":3");
  EXPECT_EQ(error_of([&] { problem_from_json(text); }),
            "problem is not valid: kv_heads is 3; must be a divisor of query_heads, 4");
  text = good;
  text.replace(text.find("[64]"), 4, "[-4]");
  EXPECT_EQ(error_of([&] { problem_from_json(text); }),
            "problem.batch.document_lengths[0] is -4; must be a whole number from 0");
  text = good;
  text.replace(text.find("\"cached_tokens\":[]"), 18, "\"cached_tokens\":[64]");
  EXPECT_EQ(error_of([&] { problem_from_json(text); }),
            "problem is not valid: cached_tokens hold all 64 tokens; at least one must be new");
}

TEST(PlanHdf5, RefusalsNameTheDataset) {
  TemporaryFolder folder;
  const PlannedProblem planned = sample("ring", 4, {64});
  auto error = [&](const std::function<void(Hdf5Writer&)>& keep) {
    write_atomically_for_tests(folder / "plan.h5", [&](Hdf5Writer& file) {
      file.group("/plan");
      keep(file);
    });
    return error_of([&] { read_plan(from_file(folder / "plan.h5"), "/plan"); });
  };
  EXPECT_NE(error([](Hdf5Writer&) {}).find("attribute /plan@ranks is missing"), std::string::npos);
  EXPECT_NE(error([](Hdf5Writer& file) {
              file.attribute("/plan", "ranks", "four");
            }).find("/plan@ranks is 'four'; must be a whole number"),
            std::string::npos);
  write_atomically_for_tests(folder / "plan.h5", [&](Hdf5Writer& file) {
    file.write("/x", std::vector<int64_t>{1, 2}, {2}, "1");
  });
  const Hdf5Reader file = from_file(folder / "plan.h5");
  EXPECT_NE(error_of([&] { file.read<int64_t>("/x", {3}); }).find("/x has shape [2], expected [3]"),
            std::string::npos);
  EXPECT_NE(error_of([&] { file.read<double>("/x", {2}); }).find("/x is not of type float64"),
            std::string::npos);
  EXPECT_NE(error_of([&] { file.read<int64_t>("/y", {3}); }).find("/y is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace cpbench
