// A TOML file as a struct. One row of a table declares a key; reading, refusals and writing follow
// from the row.
//
//   const std::vector<TomlKey<Link>> keys = {
//       {"latency_microseconds", [](Link& l) -> double& { return l.latency_seconds; }, true, {},
//        1e-6}};
//   read_keys(parse_toml("my.toml", text), "my.toml", keys, link);
//
// Every refusal is a UserError "PLACE:LINE: ..." that names the key and says what it must be.
//
// Bounds: a file has at most 1 MiB, a key at most 16 parts (`a.b.c` has three), and toml++ accepts
// at most 256 levels of arrays and inline tables.
#pragma once

// Where toml++ has only headers, its assertions would abort on some texts that are not TOML, which
// its parser refuses right after them.
#define TOML_ASSERT(expression) static_assert(true)

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace cpbench {

// The text of a file; see read_input for what is refused. `kind` is the word for messages:
// "cluster file".
std::string read_toml_file(const std::string& kind, const std::string& path);

// `place` is the file's name, for messages. Throws UserError with the line of what is not TOML.
toml::table parse_toml(const std::string& place, const std::string& text);

// Throws UserError for the first key that is not `known`, with the nearest one that is.
void refuse_unknown_keys(const toml::table& table, const std::string& place,
                         const std::vector<std::string>& known);

// The values that a number may have, in the unit of the key.
struct NumberRange {
  double low = 0;
  bool above_low = false;  // `low` itself is not allowed
  double high = std::numeric_limits<double>::infinity();
};

// Each returns whether the table has the key, and throws UserError if the value has another type or
// is out of range.
bool read_value(const toml::table& table, const std::string& place, const char* key,
                std::string& out);
bool read_value(const toml::table& table, const std::string& place, const char* key, bool& out);
bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, double& out);
bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, int32_t& out);
bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, int64_t& out);

template <typename Record>
struct TomlKey {
  using Field = std::variant<double& (*)(Record&), int32_t& (*)(Record&), int64_t& (*)(Record&),
                             bool& (*)(Record&), std::string& (*)(Record&)>;
  const char* name;  // with its unit: "memory_gigabytes"
  Field field;
  bool required = false;
  NumberRange range = {};
  double unit = 1;  // what one unit of the key is in the field: 1e9 for gigabytes in bytes
};

[[noreturn]] void throw_missing(const std::string& place, const char* key);

// A field keeps its value if the table does not have its key.
template <typename Record>
void read_keys(const toml::table& table, const std::string& place,
               const std::vector<TomlKey<Record>>& keys, Record& record) {
  for (const TomlKey<Record>& key : keys) {
    const bool found = std::visit(
        [&](auto field) {
          auto& value = field(record);
          using Value = std::remove_reference_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, double>) {
            double number = 0;
            if (!read_value(table, place, key.name, key.range, number)) return false;
            value = number * key.unit;
            return true;
          } else if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
            return read_value(table, place, key.name, key.range, value);
          } else {
            return read_value(table, place, key.name, value);
          }
        },
        key.field);
    if (!found && key.required) throw_missing(place, key.name);
  }
}

template <typename Record>
std::vector<std::string> names_of(const std::vector<TomlKey<Record>>& keys) {
  std::vector<std::string> names;
  for (const TomlKey<Record>& key : keys) names.push_back(key.name);
  return names;
}

std::string quoted_toml(const std::string& text);

// One line "name = value" for each key that is required or whose value differs from `defaults`.
template <typename Record>
std::string toml_text(const std::vector<TomlKey<Record>>& keys, Record record, Record defaults) {
  std::string text;
  for (const TomlKey<Record>& key : keys) {
    text += std::visit(
        [&](auto field) -> std::string {
          const auto& value = field(record);
          if (!key.required && value == field(defaults)) return "";
          using Value = std::remove_cvref_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, double>) {
            return fmt::format("{} = {:.6g}\n", key.name, value / key.unit);
          } else if constexpr (std::is_same_v<Value, std::string>) {
            return fmt::format("{} = {}\n", key.name, quoted_toml(value));
          } else {
            return fmt::format("{} = {}\n", key.name, value);
          }
        },
        key.field);
  }
  return text;
}

}  // namespace cpbench
