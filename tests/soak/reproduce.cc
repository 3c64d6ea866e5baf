#include "tests/soak/reproduce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "harness/plan/names.h"
#include "workloads/workload.h"

namespace cpbench::soak {
namespace {

constexpr uint64_t kSeeds = 100'000;  // documents of 8 different lengths have 40,320 orders

uint64_t seed_of_order(const std::string& file, const Batch& batch) {
  const auto workload = find_workload(file);
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PackingOptions options{.tokens = batch.tokens(), .packs = 1, .seed = seed};
    if (make_packs(*workload, options)[0].document_lengths == batch.document_lengths) return seed;
  }
  throw std::runtime_error("no seed gives the order of the documents");
}

}  // namespace

Reproduction reproduction_of(const Case& given, const std::string& folder) {
  const Problem& problem = given.problem;
  const AttentionShape& shape = problem.shape;
  Reproduction found;
  found.files["documents.txt"] =
      fmt::format("{}\n", fmt::join(problem.batch.document_lengths, "\n"));
  found.files["shape.toml"] =
      fmt::format("query_heads = {}\nkv_heads = {}\nhead_dim = {}\nvalue_head_dim = {}\n",
                  shape.query_heads, shape.kv_heads, shape.head_dim, shape.value_head_dim);
  for (const auto& [name, text] : found.files) std::ofstream(folder + "/" + name) << text;
  std::string strategy = given.strategy->name;
  for (const auto& [name, value] : given.options) {
    strategy += (strategy == given.strategy->name ? ":" : ",") + name + "=" + value;
  }
  const std::string documents = folder + "/documents.txt";
  found.fields = {{"strategy", strategy},
                  {"workload", documents},
                  {"tokens", std::to_string(problem.batch.tokens())},
                  {"seed", std::to_string(seed_of_order(documents, problem.batch))},
                  {"ranks", std::to_string(problem.ranks())},
                  {"nodes", std::to_string(problem.cluster.nodes)},
                  {"shape", folder + "/shape.toml"},
                  {"dtype", name_of(shape.dtype)},
                  {"mask", name_of(problem.batch.mask)},
                  {"backend", given.run ? "threads" : "plan"}};
  if (problem.batch.window > 0) found.fields["window"] = std::to_string(problem.batch.window);
  if (given.cached > 0) found.fields["cached"] = fmt::format("{}", given.cached);
  return found;
}

std::string script_of(const Case& given) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "cpbench_soak";
  fs::create_directories(folder);
  try {
    const Reproduction found = reproduction_of(given, folder);
    std::string script = fmt::format("mkdir -p {}\n", folder.string());
    for (const auto& [name, text] : found.files) {
      script += fmt::format("printf '%s' '{}' > {}\n", text, (folder / name).string());
    }
    script += fmt::format("build/cpbench run --output {}", (folder / "results").string());
    for (const auto& [name, value] : found.fields) script += fmt::format(" --{} {}", name, value);
    return script + "\n";
  } catch (const std::runtime_error& error) {
    return fmt::format("no script: {}\n", error.what());
  }
}

}  // namespace cpbench::soak
