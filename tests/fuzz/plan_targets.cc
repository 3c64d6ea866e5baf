// Plan files in each form, and result files.
#include "harness/plan/input_file.h"
#include "harness/store/plan_file.h"
#include "harness/store/result_file.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"
#include "tests/fuzz/fuzz_target.h"

namespace cpbench {
namespace {

std::vector<PlannedProblem> sample_plans() {
  std::vector<PlannedProblem> plans;
  for (const char* strategy : {"ring", "allgather"}) {
    Problem problem{{{9, 3, 2, 2}}, {.query_heads = 2, .kv_heads = 2, .head_dim = 4}, {}};
    problem.cluster.gpus_per_node = 2;
    plans.push_back({problem, sample_plan(problem, strategy)});
  }
  return plans;
}

// An HDF5 file also without its checksum: one whose checksum is wrong is not parsed.
void add_seed(const std::string& path, std::vector<std::string>& seeds) {
  seeds.push_back(read_input("seed", path, kAnySize));
  const size_t checksum = seeds.back().rfind("\ncpbench crc32 ");
  if (checksum != std::string::npos) seeds.push_back(seeds.back().substr(0, checksum));
}

template <const char* ending>
std::vector<std::string> plan_file_seeds() {
  std::vector<std::string> seeds;
  const TemporaryFolder folder;
  const std::string path = folder / (std::string("plan") + ending);
  for (const PlannedProblem& plan : sample_plans()) {
    save_plan_file(path, plan);
    add_seed(path, seeds);
  }
  return seeds;
}
constexpr char kJson[] = ".json", kText[] = ".txt", kHdf5[] = ".h5";

template <const char* ending>
void read_plan(std::string_view bytes) {
  load_plan_file(file_with(bytes, ending));
}

std::vector<std::string> json_seeds() {
  std::vector<std::string> seeds = plan_file_seeds<kJson>();
  seeds.push_back(repeated("[", 100000));
  seeds.push_back(repeated("{\"plan\":", 30000));
  return seeds;
}

std::vector<std::string> result_seeds() {
  std::vector<std::string> seeds;
  const TemporaryFolder folder;
  const std::string path = folder / "result.h5";
  for (const SampleResult& sample :
       {SampleResult{.document_lengths = {5, 3}, .ranks = 2, .packs = 1},
        SampleResult{.document_lengths = {5}, .ranks = 2, .packs = 1, .status = Status::oom}}) {
    write_result(path, sample_result(sample));
    add_seed(path, seeds);
  }
  return seeds;
}

}  // namespace

std::vector<FuzzTarget> plan_targets() {
  return {
      {"plan_text", plan_file_seeds<kText>, read_plan<kText>},
      {"plan_json", json_seeds, read_plan<kJson>},
      {"plan_hdf5", plan_file_seeds<kHdf5>, read_plan<kHdf5>},
      {"result", result_seeds,
       [](std::string_view bytes) { read_result(file_with(bytes, ".h5")); }},
  };
}

}  // namespace cpbench
