#include "harness/cli/suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "harness/cli/parameters.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace cpbench {

namespace {

namespace fs = std::filesystem;

const fs::path kSuites = fs::path(CPBENCH_SOURCE_DIR) / "workloads" / "suites";

std::string place(const std::string& file, const toml::node& node, std::string_view key) {
  return file + ":" + std::to_string(node.source().begin.line) + ": " + std::string(key);
}

// One scalar of the file as it would be written behind a flag.
std::string scalar(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  throw UserError(where + ": expected a string or a number, or a list of them");
}

Values read_values(const toml::node& node, const std::string& where) {
  Values result{{}, where};
  if (const auto* list = node.as_array()) {
    for (const toml::node& item : *list) result.values.push_back(scalar(item, where));
    if (list->empty()) throw UserError(where + ": the list is empty; give at least one value");
  } else {
    result.values.push_back(scalar(node, where));
  }
  return result;
}

void read_product(const toml::table& table, const std::string& file, bool top, Product& product) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string where = place(file, node, name);
    if (top && (name == "sweep" || name == "description")) continue;
    if (name == "set") {
      product.settings = read_values(node, where);
    } else if (find_parameter(name)) {
      product.parameters[name] = read_values(node, where);
    } else {
      std::vector<std::string> known = parameter_names();
      known.insert(known.end(), {"set", "description", "sweep"});
      throw UserError(file + ":" + std::to_string(key.source().begin.line) + ": " +
                      unknown_name("key", name, known));
    }
  }
}

fs::path find_suite_file(const std::string& path_or_name) {
  const fs::path given(path_or_name);
  const bool is_path = given.extension() == ".toml" || given.has_parent_path();
  // A name, like quick or reproduce/fcp_fig9, is that of a suite, even where a folder of results
  // has the same name; ./quick is that folder.
  const bool is_name =
      given.extension() != ".toml" && given.is_relative() && path_or_name[0] != '.';
  const fs::path shipped = kSuites / (path_or_name + ".toml");
  if (is_name && fs::exists(shipped)) return shipped;
  if (fs::exists(given)) return given;
  if (is_path) throw UserError(path_or_name + ": no such suite file");
  std::vector<std::string> names;
  for (const SuiteSummary& suite : list_suites()) names.push_back(suite.name);
  throw UserError(unknown_name("suite", path_or_name, names));
}

}  // namespace

Suite read_suite(const std::string& path_or_name) {
  const fs::path path = find_suite_file(path_or_name);
  const std::string file = path.string();
  if (fs::is_directory(path)) throw UserError(file + ": is a directory, not a suite file");
  toml::table root;
  try {
    root = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw UserError(file + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
  Suite suite;
  suite.name = path.stem().string();
  if (const toml::node* node = root.get("description")) {
    if (!node->is_string()) throw UserError(place(file, *node, "description") + ": expected text");
    suite.description = node->as_string()->get();
  }
  Product defaults;
  read_product(root, file, true, defaults);
  const toml::node* sweeps = root.get("sweep");
  if (!sweeps) {
    suite.products.push_back(defaults);
    return suite;
  }
  if (!sweeps->is_array_of_tables()) {
    throw UserError(place(file, *sweeps, "sweep") + ": expected [[sweep]] tables");
  }
  for (const toml::node& item : *sweeps->as_array()) {
    Product product = defaults;
    read_product(*item.as_table(), file, false, product);
    suite.products.push_back(product);
  }
  return suite;
}

std::vector<SuiteSummary> list_suites() {
  std::vector<SuiteSummary> suites;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kSuites, ignored)) {
    if (entry.path().extension() != ".toml") continue;
    const Suite suite = read_suite(entry.path().string());
    suites.push_back({suite.name, entry.path().string(), suite.description});
  }
  std::sort(suites.begin(), suites.end(),
            [](const SuiteSummary& a, const SuiteSummary& b) { return a.name < b.name; });
  return suites;
}

void override_with(Suite& suite, const Product& flags) {
  for (Product& product : suite.products) {
    for (const auto& [name, values] : flags.parameters) product.parameters[name] = values;
    for (const std::string& setting : flags.settings.values) {
      product.settings.values.push_back(setting);
    }
    if (!flags.settings.values.empty()) product.settings.origin = flags.settings.origin;
  }
}

}  // namespace cpbench
