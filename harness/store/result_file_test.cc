#include "harness/store/result_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "harness/plan/errors.h"
#include "harness/store/file_kind.h"
#include "harness/store/hdf5_file.h"
#include "harness/store/provenance.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

std::string error_of(const std::string& path) {
  try {
    read_result(path);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

void expect_same_timeline(const Timeline& a, const Timeline& b) {
  EXPECT_EQ(a.ranks, b.ranks);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.seconds, b.seconds);
  EXPECT_EQ(a.attention_seconds, b.attention_seconds);
  EXPECT_EQ(a.overhead_seconds, b.overhead_seconds);
  EXPECT_EQ(a.bytes_sent, b.bytes_sent);
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.peak_bytes, b.peak_bytes);
  ASSERT_EQ(a.events.size(), b.events.size());
  for (size_t i = 0; i < a.events.size(); ++i) {
    EXPECT_EQ(a.events[i].rank, b.events[i].rank);
    EXPECT_EQ(a.events[i].pass, b.events[i].pass);
    EXPECT_EQ(a.events[i].step, b.events[i].step);
    EXPECT_EQ(a.events[i].activity, b.events[i].activity);
    EXPECT_EQ(a.events[i].start_seconds, b.events[i].start_seconds);
    EXPECT_EQ(a.events[i].end_seconds, b.events[i].end_seconds);
  }
  EXPECT_EQ(a.accuracy.max_error_output, b.accuracy.max_error_output);
  EXPECT_EQ(a.accuracy.max_error_gradient, b.accuracy.max_error_gradient);
  EXPECT_EQ(a.accuracy.tolerance_output, b.accuracy.tolerance_output);
  EXPECT_EQ(a.accuracy.tolerance_gradient, b.accuracy.tolerance_gradient);
  EXPECT_EQ(a.accuracy.plain_error_output, b.accuracy.plain_error_output);
  EXPECT_EQ(a.accuracy.plain_error_gradient, b.accuracy.plain_error_gradient);
}

void expect_same_summary(const PassSummary& a, const PassSummary& b) {
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.attends, b.attends);
  EXPECT_EQ(a.sends, b.sends);
  EXPECT_EQ(a.bytes_out, b.bytes_out);
  EXPECT_EQ(a.bytes_in, b.bytes_in);
  EXPECT_EQ(a.wire_bytes, b.wire_bytes);
  EXPECT_EQ(a.inter_node_bytes, b.inter_node_bytes);
}

void expect_same(const Result& a, const Result& b) {
  EXPECT_EQ(canonical_text(a.spec), canonical_text(b.spec));
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.oversubscribed, b.oversubscribed);
  EXPECT_EQ(a.peak_flops_per_second, b.peak_flops_per_second);
  EXPECT_EQ(a.simulated, b.simulated);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.model_error, b.model_error);
  if (!a.spec.cluster.empty()) EXPECT_EQ(a.cluster, b.cluster);
  EXPECT_EQ(a.provenance, b.provenance);
  ASSERT_EQ(a.packs.size(), b.packs.size());
  for (size_t i = 0; i < a.packs.size(); ++i) {
    const PackResult &x = a.packs[i], &y = b.packs[i];
    EXPECT_EQ(x.batch, y.batch);
    EXPECT_EQ(x.plan, y.plan);
    EXPECT_EQ(hash_of(x.plan), hash_of(y.plan));
    EXPECT_EQ(x.planning_seconds, y.planning_seconds);
    EXPECT_EQ(x.check_seconds, y.check_seconds);
    EXPECT_EQ(x.compile_seconds, y.compile_seconds);
    EXPECT_EQ(x.summary.useful_bytes, y.summary.useful_bytes);
    EXPECT_EQ(x.summary.pairs_per_rank, y.summary.pairs_per_rank);
    EXPECT_EQ(x.summary.tokens_per_rank, y.summary.tokens_per_rank);
    EXPECT_EQ(x.summary.peak_bytes, y.summary.peak_bytes);
    expect_same_summary(x.summary.forward, y.summary.forward);
    expect_same_summary(x.summary.backward, y.summary.backward);
    expect_same_timeline(x.timeline, y.timeline);
  }
  ASSERT_EQ(a.metrics.size(), b.metrics.size());
  for (size_t i = 0; i < a.metrics.size(); ++i) {
    const MetricValue &x = a.metrics[i], &y = b.metrics[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.value, y.value);
    EXPECT_EQ(x.unit, y.unit);
    EXPECT_EQ(x.better, y.better);
    EXPECT_EQ(x.description, y.description);
    EXPECT_EQ(x.definition_version, y.definition_version);
  }
}

TEST(ResultFile, EveryFieldComesBack) {
  TemporaryFolder folder;
  for (const std::string strategy : {"ring", "allgather"}) {
    for (int32_t ranks : {1, 3, 16}) {
      Result result = sample_result({.strategy = strategy, .ranks = ranks});
      // Values that separators, comments and encodings could trip over.
      result.spec.strategy = strategy == "ring" ? "ring" : "exec:./a b,c=d\\e\nf";
      result.spec.options = {{"ratio", "1.05"}, {"a,b", "c=d\\"}, {"empty", ""}};
      result.spec.workload = "lognormal:mean=16K,sigma=2";
      result.spec.mask = Mask::sliding_window;
      result.spec.window = 64;
      result.spec.cached = ranks == 3 ? 0 : 0.7;
      for (PackResult& pack : result.packs) {
        pack.batch.mask = Mask::sliding_window;
        pack.batch.window = 64;
      }
      result.spec.passes = Passes::forward;
      result.spec.seed = UINT64_MAX;
      result.error = "größer, \"quoted\"";
      result.provenance = provenance({"cpbench", "run"}, {}, {});
      result.provenance["long"] = std::string(200'000, 'x');  // beyond the old 64 KiB limit
      const std::string path = folder / "result.h5";
      write_result(path, result);
      EXPECT_TRUE(finished(path));
      expect_same(result, read_result(path));
    }
  }
}

TEST(ResultFile, ASimulationComesBack) {
  TemporaryFolder folder;
  Result result = sample_result({.ranks = 4});
  result.spec.backend = "simulate";
  result.spec.cluster = "./my=cluster.toml";
  result.spec.network = "other";
  result.spec.profile = "paper-eager";
  result.simulated = true;
  result.model = "0123456789abcdef";
  result.model_error = "kernel fa2_h100: mean 5.4%, worst 26%";
  result.cluster = {.name = "my=cluster",
                    .nodes = 1,
                    .gpus_per_node = 4,
                    .peak_flops_per_second = 989.5e12,
                    .memory_bytes = 80e9,
                    .memory_bytes_per_second = 3.35e12,
                    .intra_node_bytes_per_second = 450e9,
                    .inter_node_bytes_per_second = 50e9};
  for (PackResult& pack : result.packs) {
    pack.timeline.accuracy = {};
    pack.timeline.events.push_back({1, 1, 0, Activity::transfer, 0, 1});
    pack.timeline.events.push_back({1, 1, 0, Activity::layer, 1, 2});
  }
  write_result(folder / "a.h5", result);
  expect_same(result, read_result(folder / "a.h5"));
  EXPECT_FALSE(Hdf5Reader(folder / "a.h5").has("/pack_0/accuracy"));
}

TEST(ResultFile, LargeColumnsAreCompressed) {
  TemporaryFolder folder;
  const Result result = sample_result({.ranks = 64, .packs = 1, .run = false});
  write_result(folder / "large.h5", result);
  const size_t columns = 64 * 64 * (6 + 9) * 8;  // of the forward pass alone
  EXPECT_LT(std::filesystem::file_size(folder / "large.h5"), columns);
  expect_same(result, read_result(folder / "large.h5"));
}

TEST(ResultFile, CellsThatDidNotRunComeBack) {
  TemporaryFolder folder;
  Result unsupported = sample_result({.status = Status::unsupported});
  write_result(folder / "a.h5", unsupported);
  expect_same(unsupported, read_result(folder / "a.h5"));
  unsupported.packs.clear();
  write_result(folder / "a.h5", unsupported);  // replaces
  expect_same(unsupported, read_result(folder / "a.h5"));
  const Result planned = sample_result({.run = false});
  write_result(folder / "b.h5", planned);
  expect_same(planned, read_result(folder / "b.h5"));
}

TEST(ResultFile, EqualResultsGiveEqualFiles) {
  TemporaryFolder folder;
  const Result result = sample_result({});
  write_result(folder / "a.h5", result);
  write_result(folder / "b.h5", result);
  EXPECT_EQ(file_bytes(folder / "a.h5"), file_bytes(folder / "b.h5"));
}

TEST(ResultFile, NothingIsLeftWhereWritingFails) {
  TemporaryFolder folder;
  const Result result = sample_result({});
  try {
    write_result(folder / "missing" / "a.h5", result);
    ADD_FAILURE();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("missing/a.h5: cannot be written: No such file"),
              std::string::npos)
        << error.what();
  }
  // A limit on the size of files stands for a full disk: the write fails half-way.
  write_result(folder / "a.h5", result);
  const std::string before = file_bytes(folder / "a.h5");
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_result(folder / "a.h5", sample_result({.ranks = 5})), UserError);
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(file_bytes(folder / "a.h5"), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(ResultFile, AForeignFileIsRefused) {
  TemporaryFolder folder;
  EXPECT_NE(error_of(folder / "none.h5").find("none.h5: no such file"), std::string::npos);
  EXPECT_NE(error_of(folder.path()).find("not a file"), std::string::npos);
  std::ofstream(folder / "text.h5") << "hello";
  EXPECT_NE(error_of(folder / "text.h5").find("text.h5: not an HDF5 file"), std::string::npos);
  std::ofstream(folder / "empty.h5").close();
  EXPECT_NE(error_of(folder / "empty.h5").find("not an HDF5 file"), std::string::npos);
  write_atomically_for_tests(folder / "foreign.h5", [](Hdf5Writer& file) { file.group("/x"); });
  EXPECT_NE(error_of(folder / "foreign.h5").find("not one of cpbench"), std::string::npos);
  EXPECT_FALSE(finished(folder / "foreign.h5"));
  EXPECT_FALSE(finished(folder / "none.h5"));
  EXPECT_FALSE(finished(folder / "text.h5"));
}

TEST(ResultFile, ANewerMajorVersionIsRefused) {
  TemporaryFolder folder;
  write_atomically_for_tests(folder / "new.h5", [](Hdf5Writer& file) {
    file.attribute("/", "kind", kResultKind);
    file.attribute("/", "schema_version", "2.0.0");
  });
  EXPECT_NE(error_of(folder / "new.h5").find("has schema version 2.0.0; this cpbench reads 1.x"),
            std::string::npos);
}

TEST(ResultFile, MissingPiecesAreNamed) {
  TemporaryFolder folder;
  write_atomically_for_tests(folder / "bare.h5",
                             [](Hdf5Writer& file) { write_kind(file, kResultKind); });
  EXPECT_NE(error_of(folder / "bare.h5").find("attribute /@strategy is missing"),
            std::string::npos);
}

TEST(ResultFile, ATruncatedFileIsRefused) {
  TemporaryFolder folder;
  write_result(folder / "whole.h5", sample_result({}));
  const std::string bytes = file_bytes(folder / "whole.h5");
  for (size_t keep : {size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    std::ofstream(folder / "cut.h5", std::ios::binary) << bytes.substr(0, keep);
    EXPECT_NE(error_of(folder / "cut.h5"), "") << keep;
    EXPECT_FALSE(finished(folder / "cut.h5"));
  }
}

TEST(ResultFile, NamesAreSafeAndTellRunsApart) {
  RunSpec cell = sample_result({}).cell;
  EXPECT_EQ(result_file_name(cell), "ring-pile-512-4r-" + run_id(cell) + ".h5");
  cell.tokens = 8192;
  cell.workload = "/data/my lengths.csv";
  cell.strategy = "exec:../x";
  EXPECT_EQ(result_file_name(cell), "exec_.._x-_data_my_lengths.csv-8K-4r-" + run_id(cell) + ".h5");
  RunSpec other = cell;
  other.seed = 2;
  EXPECT_NE(result_file_name(cell), result_file_name(other));
  other = cell;
  other.options["ratio"] = "1.1";
  EXPECT_NE(run_id(cell), run_id(other));
}

TEST(RunId, IsFixedForGood) { EXPECT_EQ(run_id(RunSpec{}), "70d47f68f3a14a86"); }

TEST(RunId, ClusterNetworkAndProfileCountUnlessDefault) {
  for (std::string RunSpec::*field : {&RunSpec::cluster, &RunSpec::network, &RunSpec::profile}) {
    RunSpec cell;
    cell.*field = "x";
    EXPECT_NE(run_id(cell), run_id(RunSpec{}));
  }
}

}  // namespace
}  // namespace cpbench
