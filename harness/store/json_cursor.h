// A place in a JSON document. It reads values strictly, and knows its own name for messages, like
// `plan.forward.sends[3][4]`. The name is built only if something is wrong.
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

// What a reader does with keys that it does not know: they are mistakes, or additions of a newer
// version.
enum class UnknownKeys : uint8_t { refused, ignored };

class JsonCursor {
 public:
  JsonCursor(const nlohmann::json& value, std::string name,
             UnknownKeys unknown = UnknownKeys::refused)
      : value_(value), name_(std::move(name)), unknown_(unknown) {}

  // Requires an object with all of `keys`, perhaps some of `optional`, and no other keys unless
  // those are ignored.
  void expect_keys(const std::set<std::string>& keys,
                   const std::set<std::string>& optional = {}) const;
  bool has(const char* key) const { return value_.contains(key); }  // of an object
  JsonCursor at(const char* key) const;                             // of an object
  JsonCursor at(size_t index) const;                                // of an array
  size_t size() const;                                              // of an array
  void expect_size(size_t size, const std::string& what) const;     // of an array of `what`

  int64_t integer(int64_t minimum, int64_t maximum = std::numeric_limits<int64_t>::max()) const;
  int32_t small(int32_t minimum = 0) const {
    return static_cast<int32_t>(integer(minimum, std::numeric_limits<int32_t>::max()));
  }
  double number() const;  // finite, not negative
  std::string text() const;
  bool boolean() const;
  template <typename Enum>
  Enum named() const {
    const std::optional<Enum> value =
        value_.is_string() ? enum_named<Enum>(value_.get<std::string>()) : std::nullopt;
    if (!value) bad(fmt::format("one of {}", fmt::join(enum_names<Enum>(), ", ")));
    return *value;
  }
  [[noreturn]] void bad(
      const std::string& expected) const;                 // "<name> is <value>; must be <expected>"
  [[noreturn]] void fail(const std::string& what) const;  // "<name> <what>"

 private:
  JsonCursor(const nlohmann::json& value, const JsonCursor* parent, const char* key, size_t index)
      : value_(value), unknown_(parent->unknown_), parent_(parent), key_(key), index_(index) {}
  std::string name() const;
  const nlohmann::json& value_;
  std::string name_;  // of the root
  UnknownKeys unknown_;
  const JsonCursor* parent_ = nullptr;  // outlives this one
  const char* key_ = nullptr;
  size_t index_ = 0;
};

// Throws UserError for text that is not JSON, that nests arrays and objects so deeply that reading
// or printing it would exhaust the stack, or that has a key twice in one object.
nlohmann::json parse_json(const std::string& text, const std::string& what);

}  // namespace cpbench
