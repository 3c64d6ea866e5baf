#include "workloads/shapes.h"

#include <filesystem>
#include <iterator>
#include <limits>
#include <map>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "workloads/embedded.h"
#include "workloads/toml_file.h"

namespace cpbench {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();

// One row per key of a shape file. A key without a default is required.
struct IntegerKey {
  const char* name;
  int64_t minimum;
  bool required;
};
constexpr IntegerKey kIntegerKeys[] = {
    {"query_heads", 1, true},  {"kv_heads", 1, true},
    {"head_dim", 1, true},     {"value_head_dim", 1, false},  // head_dim
    {"hidden_size", 0, false},                                // 0: attention alone
    {"ffn_size", 0, false},
};
constexpr const char* kTextKeys[] = {"description", "source"};

int64_t integer_of(const toml::table& table, const std::string& place, const IntegerKey& key) {
  const toml::node* node = table.get(key.name);
  if (!node) {
    if (key.required) throw UserError(fmt::format("{}: '{}' is missing", place, key.name));
    return 0;
  }
  auto value = node->value_exact<int64_t>();
  if (!value || *value < key.minimum || *value > kLargest) {
    throw UserError(fmt::format("{}:{}: '{}' wants a whole number from {} to {}", place,
                                node->source().begin.line, key.name, key.minimum, kLargest));
  }
  return *value;
}

std::vector<std::string> known_keys() {
  std::vector<std::string> known(std::begin(kTextKeys), std::end(kTextKeys));
  for (const IntegerKey& key : kIntegerKeys) known.push_back(key.name);
  return known;
}

}  // namespace

Shape parse_shape(const std::string& name, const std::string& place, const std::string& toml_text) {
  const toml::table table = parse_toml(place, toml_text);
  refuse_unknown_keys(table, place, known_keys());
  Shape shape;
  shape.name = name;
  read_value(table, place, "description", shape.description);
  read_value(table, place, "source", shape.source);
  std::map<std::string, int64_t> values;
  for (const IntegerKey& key : kIntegerKeys) values[key.name] = integer_of(table, place, key);
  AttentionShape& attention = shape.attention;
  attention.query_heads = static_cast<int32_t>(values["query_heads"]);
  attention.kv_heads = static_cast<int32_t>(values["kv_heads"]);
  attention.head_dim = static_cast<int32_t>(values["head_dim"]);
  bool own_value_dim = table.contains("value_head_dim");
  attention.value_head_dim =
      static_cast<int32_t>(values[own_value_dim ? "value_head_dim" : "head_dim"]);
  attention.hidden_size = values["hidden_size"];
  attention.ffn_size = values["ffn_size"];
  if (attention.query_heads % attention.kv_heads != 0) {
    throw UserError(fmt::format("{}: kv_heads = {} does not divide query_heads = {}", place,
                                attention.kv_heads, attention.query_heads));
  }
  return shape;
}

Shape find_shape(const std::string& name) {
  std::vector<std::string> known;
  for (const EmbeddedFile& file : embedded_shapes()) {
    if (file.name == name) return parse_shape(name, "shape '" + name + "'", file.text);
    known.push_back(file.name);
  }
  if (name.find_first_of("/.") != std::string::npos) {
    return parse_shape(std::filesystem::path(name).stem(), name, read_toml_file("shape", name));
  }
  throw UserError(unknown_name("shape", name, known));
}

std::vector<Shape> list_shapes() {
  std::vector<Shape> shapes;
  for (const EmbeddedFile& file : embedded_shapes()) shapes.push_back(find_shape(file.name));
  return shapes;
}

}  // namespace cpbench
