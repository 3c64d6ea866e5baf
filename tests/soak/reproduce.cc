#include "tests/soak/reproduce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>

#include "harness/plan/mask_text.h"
#include "harness/plan/names.h"

namespace cpbench::soak {
namespace {

// As workloads/given_packs.h reads them.
std::string documents_json(const Batch& batch) {
  std::vector<std::string> rows;
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    std::string row = fmt::format("{{\"length\": {}", batch.document_lengths[d]);
    if (!batch.cached_tokens.empty())
      row += fmt::format(", \"cached\": {}", batch.cached_tokens[d]);
    if (!batch.parents.empty()) row += fmt::format(", \"parent\": {}", batch.parents[d]);
    if (!batch.rules.empty()) row += fmt::format(", \"rule\": \"{}\"", mask_text(batch.rules[d]));
    rows.push_back(row + "}");
  }
  return fmt::format("[{}]\n", fmt::join(rows, ",\n "));
}

}  // namespace

Reproduction reproduction_of(const Case& given, const std::string& folder) {
  const Problem& problem = given.problem;
  const AttentionShape& shape = problem.shape;
  Reproduction found;
  found.files["documents.json"] = documents_json(problem.batch);
  found.files["shape.toml"] =
      fmt::format("query_heads = {}\nkv_heads = {}\nhead_dim = {}\nvalue_head_dim = {}\n",
                  shape.query_heads, shape.kv_heads, shape.head_dim, shape.value_head_dim);
  for (const auto& [name, text] : found.files) std::ofstream(folder + "/" + name) << text;
  std::string strategy = given.strategy->name;
  for (const auto& [name, value] : given.options) {
    strategy += (strategy == given.strategy->name ? ":" : ",") + name + "=" + value;
  }
  found.fields = {{"strategy", strategy},
                  {"workload", folder + "/documents.json"},
                  {"ranks", std::to_string(problem.ranks())},
                  {"nodes", std::to_string(problem.cluster.nodes)},
                  {"shape", folder + "/shape.toml"},
                  {"dtype", name_of(shape.dtype)},
                  {"mask", mask_text({problem.batch.mask, problem.batch.window})},
                  {"backend", given.run ? "threads" : "plan"}};
  return found;
}

std::string script_of(const Case& given) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "cpbench_soak";
  fs::create_directories(folder);
  const Reproduction found = reproduction_of(given, folder);
  std::string script = fmt::format("mkdir -p {}\n", folder.string());
  for (const auto& [name, text] : found.files) {
    script += fmt::format("printf '%s' '{}' > {}\n", text, (folder / name).string());
  }
  script += fmt::format("build/cpbench run --output {}", (folder / "results").string());
  for (const auto& [name, value] : found.fields) script += fmt::format(" --{} {}", name, value);
  return script + "\n";
}

}  // namespace cpbench::soak
