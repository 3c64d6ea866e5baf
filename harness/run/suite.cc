#include "harness/run/suite.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/presets.h"
#include "harness/presets/toml_file.h"
#include "harness/spec/run_fields.h"

namespace cpbench {

namespace {

std::string place(const std::string& file, const toml::node& node, std::string_view key) {
  return fmt::format("{}:{}: {}", file, node.source().begin.line, key);
}

// Every [[sweep]] has a copy of the lists on top, so both are bounded.
void require_at_most(size_t count, const char* what, const std::string& where) {
  constexpr size_t kMost = 1000;
  if (count > kMost) {
    throw UserError(
        fmt::format("{}: there are {} {}; must be at most {}", where, count, what, kMost));
  }
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
    if (list->empty()) throw UserError(where + ": the list is empty; give at least one value");
    require_at_most(list->size(), "values", where);
    for (const toml::node& item : *list) result.values.push_back(scalar(item, where));
  } else {
    result.values.push_back(scalar(node, where));
  }
  return result;
}

void read_product(const toml::table& table, const std::string& file, bool top, Product& product) {
  std::vector<std::string> known = run_field_names();
  known.emplace_back("set");
  if (top) known.insert(known.end(), {"description", "sweep"});
  refuse_unknown_keys(table, file, known);
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "sweep" || name == "description") continue;
    Values values = read_values(node, place(file, node, name));
    (name == "set" ? product.settings : product.fields[name]) = std::move(values);
  }
}

Suite parse_suite(const Preset& preset) {
  const toml::table root = parse_toml(preset.place, preset.text);
  Suite suite;
  suite.name = preset.name.substr(preset.name.find_last_of('/') + 1);
  read_value(root, preset.place, "description", suite.description);
  Product defaults;
  read_product(root, preset.place, true, defaults);
  const toml::node* sweeps = root.get("sweep");
  if (!sweeps) {
    suite.products.push_back(defaults);
    return suite;
  }
  if (!sweeps->is_array_of_tables()) {
    throw UserError(place(preset.place, *sweeps, "sweep") + ": expected [[sweep]] tables");
  }
  require_at_most(sweeps->as_array()->size(), "[[sweep]] tables",
                  place(preset.place, *sweeps, "sweep"));
  for (const toml::node& item : *sweeps->as_array()) {
    Product product = defaults;
    read_product(*item.as_table(), preset.place, false, product);
    suite.products.push_back(product);
  }
  return suite;
}

}  // namespace

Suite read_suite(const std::string& path_or_name) {
  return parse_suite(find_preset(PresetKind::suites, path_or_name));
}

std::vector<SuiteSummary> list_suites() {
  std::vector<SuiteSummary> suites;
  for (const Preset& preset : shipped_presets(PresetKind::suites)) {
    if (preset.name.find('/') != std::string::npos) continue;  // those of `cpbench reproduce`
    suites.push_back({preset.name, "workloads/suites/" + preset.name + ".toml",
                      parse_suite(preset).description});
  }
  return suites;
}

void override_with(Suite& suite, const Product& flags) {
  for (Product& product : suite.products) {
    for (const auto& [name, values] : flags.fields) product.fields[name] = values;
    for (const std::string& setting : flags.settings.values) {
      product.settings.values.push_back(setting);
    }
    if (!flags.settings.values.empty()) product.settings.origin = flags.settings.origin;
  }
}

}  // namespace cpbench
