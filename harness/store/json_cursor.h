// A place in a JSON document that reads values strictly and knows its own name for messages:
// `plan.forward.sends[3][4]`. The name is put together only when something is wrong.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/plan/names.h"

namespace cpbench {

// What a reader makes of keys that it does not know: a mistake, or an addition of a newer version.
enum class UnknownKeys : uint8_t { refused, ignored };

class JsonCursor {
 public:
  JsonCursor(const nlohmann::json& value, std::string name,
             UnknownKeys unknown = UnknownKeys::refused)
      : value_(value), name_(std::move(name)), unknown_(unknown) {}

  // An object with all of `keys`, perhaps some of `optional`, and no other unless they are ignored.
  void expect_keys(const std::set<std::string>& keys,
                   const std::set<std::string>& optional = {}) const;
  bool has(const char* key) const { return value_.contains(key); }  // of an object
  JsonCursor at(const char* key) const;                             // of an object
  JsonCursor at(size_t index) const;                                // of an array
  size_t size() const;                                              // of an array
  void expect_size(size_t size, const std::string& what) const;

  int64_t integer(int64_t minimum, int64_t maximum = std::numeric_limits<int64_t>::max()) const;
  int32_t small(int32_t minimum = 0) const {
    return static_cast<int32_t>(integer(minimum, std::numeric_limits<int32_t>::max()));
  }
  double number() const;  // finite, not negative
  std::string text() const;
  template <typename Enum>
  Enum named() const {
    const std::optional<Enum> value =
        value_.is_string() ? enum_named<Enum>(value_.get<std::string>()) : std::nullopt;
    if (!value) bad(fmt::format("one of {}", fmt::join(enum_names<Enum>(), ", ")));
    return *value;
  }
  [[noreturn]] void bad(const std::string& want) const;   // "<name> is <value>; must be <want>"
  [[noreturn]] void fail(const std::string& what) const;  // "<name> <what>"

 private:
  JsonCursor(const nlohmann::json& value, const JsonCursor* parent, const char* key, size_t index)
      : value_(value), unknown_(parent->unknown_), parent_(parent), key_(key), index_(index) {}
  std::string name() const;
  const nlohmann::json& value_;
  std::string name_;  // of the root
  UnknownKeys unknown_;
  const JsonCursor* parent_ = nullptr;  // which outlives this one
  const char* key_ = nullptr;
  size_t index_ = 0;
};

// Throws UserError ("<what>: line 3, column 7: ...").
nlohmann::json parse_json(const std::string& text, const std::string& what);

}  // namespace cpbench
