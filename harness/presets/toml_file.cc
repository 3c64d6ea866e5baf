#include "harness/presets/toml_file.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/presets/toml_keys.h"

namespace cpbench {
namespace {

[[noreturn]] void refuse(const toml::node& node, const std::string& place, const char* key,
                         const std::string& wanted) {
  throw UserError(
      fmt::format("{}:{}: '{}' must be {}", place, node.source().begin.line, key, wanted));
}

std::string range_text(const NumberRange& range) {
  std::string text = range.above_low ? fmt::format(" above {}", range.low)
                                     : fmt::format(" of at least {}", range.low);
  if (std::isfinite(range.high)) {
    text = range.above_low ? fmt::format("{} and at most {}", text, range.high)
                           : fmt::format(" from {} to {}", range.low, range.high);
  }
  return text;
}

bool inside(const NumberRange& range, double value) {
  return (range.above_low ? value > range.low : value >= range.low) && value <= range.high &&
         std::isfinite(value);
}

}  // namespace

std::string read_toml_file(const std::string& kind, const std::string& path) {
  constexpr int64_t kMostBytes = 1 << 20;  // toml++ takes a time that is quadratic in odd files
  return read_input(kind, path, kMostBytes);
}

toml::table parse_toml(const std::string& place, const std::string& text) {
  require_short_keys(place, text);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UserError(fmt::format("{}:{}: {}", place, error.source().begin.line,
                                shown(error.description(), kLongestSentence)));
  }
}

void refuse_unknown_keys(const toml::table& table, const std::string& place,
                         const std::vector<std::string>& known) {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    throw UserError(fmt::format("{}:{}: {}", place, key.source().begin.line,
                                unknown_name("key", std::string(key.str()), known)));
  }
}

void throw_missing(const std::string& place, const char* key) {
  throw UserError(fmt::format("{}: '{}' is missing", place, key));
}

bool read_value(const toml::table& table, const std::string& place, const char* key,
                std::string& out) {
  const toml::node* node = table.get(key);
  if (!node) return false;
  if (!node->is_string()) refuse(*node, place, key, "a string");
  out = node->as_string()->get();
  return true;
}

bool read_value(const toml::table& table, const std::string& place, const char* key, bool& out) {
  const toml::node* node = table.get(key);
  if (!node) return false;
  if (!node->is_boolean()) refuse(*node, place, key, "true or false");
  out = node->as_boolean()->get();
  return true;
}

bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, double& out) {
  const toml::node* node = table.get(key);
  if (!node) return false;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value || !inside(range, *value)) refuse(*node, place, key, "a number" + range_text(range));
  out = *value;
  return true;
}

bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, int64_t& out) {
  const toml::node* node = table.get(key);
  if (!node) return false;
  NumberRange whole = range;
  whole.high = std::min<double>(range.high, std::numeric_limits<int32_t>::max());
  const auto value = node->value_exact<int64_t>();
  if (!value || !inside(whole, static_cast<double>(*value))) {
    refuse(*node, place, key, "a whole number" + range_text(whole));
  }
  out = *value;
  return true;
}

bool read_value(const toml::table& table, const std::string& place, const char* key,
                const NumberRange& range, int32_t& out) {
  int64_t value = out;
  const bool found = read_value(table, place, key, range, value);
  out = static_cast<int32_t>(value);
  return found;
}

std::string quoted_toml(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += std::string("\\") + c;
    } else if (code < 0x20 || code == 0x7f) {
      quoted += fmt::format("\\u{:04x}", code);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace cpbench
