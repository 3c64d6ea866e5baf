#include "harness/store/result_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "harness/plan/errors.h"
#include "harness/store/file_kind.h"
#include "harness/store/hdf5_file.h"
#include "harness/store/named_fields.h"
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

// Every field that the lists name.
template <typename Struct>
void expect_same_fields(const Struct& a, const Struct& b) {
  const auto values = [](const Struct& value) {
    return std::apply([](auto... field) { return std::tuple{field.value...}; },
                      fields(const_cast<Struct&>(value)));
  };
  EXPECT_EQ(values(a), values(b));
}

void expect_same_timeline(const Timeline& a, const Timeline& b) {
  EXPECT_EQ(a.ranks, b.ranks);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.seconds, b.seconds);
  EXPECT_EQ(a.attention_seconds, b.attention_seconds);
  EXPECT_EQ(a.overhead_seconds, b.overhead_seconds);
  EXPECT_EQ(a.clock_share, b.clock_share);
  EXPECT_EQ(a.accepted, b.accepted);
  EXPECT_EQ(a.bytes_sent, b.bytes_sent);
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.peak_bytes, b.peak_bytes);
  ASSERT_EQ(a.events.size(), b.events.size());
  for (size_t i = 0; i < a.events.size(); ++i) expect_same_fields(a.events[i], b.events[i]);
  expect_same_fields(a.accuracy, b.accuracy);
  expect_same_fields(a.portions, b.portions);
}

void expect_same(const Result& a, const Result& b) {
  EXPECT_EQ(a.spec, b.spec);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.oversubscribed, b.oversubscribed);
  EXPECT_EQ(a.peak_flops_per_second, b.peak_flops_per_second);
  EXPECT_EQ(a.simulated, b.simulated);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.model_error, b.model_error);
  if (!a.spec.cluster.empty()) {
    EXPECT_EQ(a.cluster, b.cluster);
  }
  EXPECT_EQ(a.provenance, b.provenance);
  ASSERT_EQ(a.packs.size(), b.packs.size());
  for (size_t i = 0; i < a.packs.size(); ++i) {
    const PackResult &x = a.packs[i], &y = b.packs[i];
    EXPECT_EQ(x.batch, y.batch);
    EXPECT_EQ(x.plan, y.plan);
    EXPECT_EQ(hash_of(x.plan), hash_of(y.plan));
    expect_same_fields(x, y);
    EXPECT_EQ(x.properties, y.properties);
    EXPECT_EQ(x.communicator_seconds, y.communicator_seconds);
    expect_same_fields(x.summary, y.summary);
    expect_same_fields(x.summary.forward, y.summary.forward);
    expect_same_fields(x.summary.backward, y.summary.backward);
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
      // Values that separators, escapes and encodings could break.
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
      result.provenance["long"] =
          std::string(200'000, 'x');  // beyond the limit of 64 KiB of old formats
      const std::string path = folder / "result.h5";
      write_result(path, result);
      expect_same(result, read_result(path));
    }
  }
}

TEST(ResultFile, ItsHeadHasWhatTablesNeed) {
  TemporaryFolder folder;
  const Result result = sample_result({.ranks = 3});
  const std::string path = folder / "result.h5";
  write_result(path, result);
  const auto expect_head = [&] {
    Result head = read_result_head(path);
    ASSERT_EQ(head.packs.size(), result.packs.size());
    for (size_t i = 0; i < head.packs.size(); ++i) {
      EXPECT_EQ(head.packs[i].summary.hash, hash_of(result.packs[i].plan));
      EXPECT_EQ(head.packs[i].plan.ranks, 0);
      EXPECT_EQ(head.packs[i].properties, result.packs[i].properties);
    }
    head.packs = result.packs;
    head.cluster = result.cluster;
    expect_same(result, head);
  };
  expect_head();
  // Another program wrote it: there is no checksum, so all of it is checked first.
  std::string bytes = bytes_of(path);
  bytes.resize(bytes.rfind("\ncpbench crc32 "));
  write_atomically(path, bytes);
  expect_head();
}

TEST(ResultFile, ASimulationComesBack) {
  TemporaryFolder folder;
  Result result = sample_result({.ranks = 4});
  result.spec.backend = "simulate";
  result.spec.cluster = "./my=cluster.toml";
  result.spec.network = "other";
  result.spec.profile = "flashcp-paper";
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
  EXPECT_FALSE(Hdf5Reader("a.h5", bytes_of(folder / "a.h5")).has("/pack_0/accuracy"));
}

TEST(ResultFile, LargeColumnsAreCompressed) {
  TemporaryFolder folder;
  const Result result = sample_result({.ranks = 64, .packs = 1, .run = false});
  write_result(folder / "large.h5", result);
  const size_t columns = 64 * 64 * (6 + 9) * 8;  // of the forward pass alone
  EXPECT_LT(std::filesystem::file_size(folder / "large.h5"), columns);
  expect_same(result, read_result(folder / "large.h5"));
}

TEST(ResultFile, RunsThatWereNotExecutedComeBack) {
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
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
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
  // A limit on the size of files has the effect of a full disk: the write fails half-way.
  write_result(folder / "a.h5", result);
  const std::string before = bytes_of(folder / "a.h5");
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_result(folder / "a.h5", sample_result({.ranks = 5})), UserError);
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(bytes_of(folder / "a.h5"), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(ResultFile, AForeignFileIsRefused) {
  TemporaryFolder folder;
  EXPECT_NE(error_of(folder / "none.h5").find("none.h5': it does not exist"), std::string::npos);
  EXPECT_NE(error_of(folder.path()).find("it is a folder"), std::string::npos);
  std::ofstream(folder / "text.h5") << "hello";
  EXPECT_NE(error_of(folder / "text.h5").find("text.h5: not an HDF5 file"), std::string::npos);
  std::ofstream(folder / "empty.h5").close();
  EXPECT_NE(error_of(folder / "empty.h5").find("not an HDF5 file"), std::string::npos);
  write_atomically_for_tests(folder / "foreign.h5", [](Hdf5Writer& file) { file.group("/x"); });
  EXPECT_NE(error_of(folder / "foreign.h5").find("but not one of cpbench"), std::string::npos);
}

// A failed run without packs, as a version of the schema stored it.
Result read_old_file(const std::string& version, const std::map<std::string, std::string>& fields) {
  TemporaryFolder folder;
  write_atomically_for_tests(folder / "old.h5", [&](Hdf5Writer& file) {
    file.attribute("/", "kind", kResultKind);
    file.attribute("/", "schema_version", version);
    for (const auto& [name, text] : fields) file.attribute("/", name, text);
    file.attribute("/", "status", "failed");
    file.attribute("/", "error", "a reason");
    file.attribute("/", "oversubscribed", "no");
    file.scalar("/peak_flops_per_second", 0.0, "FLOP/s");
    file.group("/metrics");
    file.group("/provenance");
  });
  return read_result(folder / "old.h5");
}

TEST(ResultFile, FilesOfOlderVersionsAreRead) {
  RunSpec spec = sample_result({}).spec;  // on threads
  std::map<std::string, std::string> fields = stored_fields(spec);
  fields.erase("inputs");
  fields["network"] = "ports";
  fields["profile"] = "ideal";
  fields["run_id"] = "0123456789abcdef";
  EXPECT_EQ(read_old_file("1.3.0", fields).spec, spec);
  fields.erase("graph");
  EXPECT_EQ(read_old_file("1.2.0", fields).spec, spec);
  for (const char* name : {"cluster", "network", "profile"}) fields.erase(name);
  EXPECT_EQ(read_old_file("1.1.0", fields).spec, spec);
  fields.erase("cached");
  EXPECT_EQ(read_old_file("1.0.0", fields).spec, spec);

  spec.backend = "simulate";
  spec.cluster = "h100";
  spec.network = "ports";
  spec.profile = "ideal";
  fields = stored_fields(spec);
  fields.erase("inputs");
  fields["simulated"] = "yes";
  fields["model"] = fields["model_error"] = "";
  const Result simulated = read_old_file("1.3.0", fields);
  EXPECT_EQ(simulated.spec, spec);
  EXPECT_TRUE(simulated.simulated);
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
  EXPECT_NE(error_of(folder / "bare.h5").find("attribute /@options is missing"), std::string::npos);
}

TEST(ResultFile, NamesAreSafeAndTellRunsApart) {
  RunSpec spec = sample_result({}).spec;
  EXPECT_EQ(result_file_name(spec), "ring-pile-512-4r-" + run_id(spec) + ".h5");
  spec.tokens = 8192;
  spec.workload = "/data/my lengths.csv";
  spec.strategy = "exec:../x";
  EXPECT_EQ(result_file_name(spec), "exec_.._x-_data_my_lengths.csv-8K-4r-" + run_id(spec) + ".h5");
  RunSpec other = spec;
  other.seed = 2;
  EXPECT_NE(result_file_name(spec), result_file_name(other));
}

}  // namespace
}  // namespace cpbench
