#include "harness/store/json_cursor.h"

#include <fmt/format.h>

#include <cmath>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {

constexpr int kMostLevels = 32;       // of arrays and objects; a plan file has 6
constexpr size_t kLongestValue = 40;  // characters of a bad value that a message shows

using Dump = nlohmann::json::error_handler_t;
using nlohmann::json;

// Reads a document before a tree is made of it. Trees of any depth would overflow the stack of
// those who print them, and a tree does not show that a key was there twice.
class Watch : public nlohmann::json_sax<json> {
 public:
  explicit Watch(const std::string& what) : what_(what) {}
  bool start_object(size_t) override {
    keys_.emplace_back();
    return start_array(0);
  }
  bool end_object() override {
    keys_.pop_back();
    return end_array();
  }
  bool start_array(size_t) override {
    if (++levels_ <= kMostLevels) return true;
    throw UserError(fmt::format("{} is nested in more than {} levels", what_, kMostLevels));
  }
  bool end_array() override { return --levels_ >= 0; }
  bool key(std::string& name) override {
    if (keys_.back().insert(name).second) return true;
    throw UserError(fmt::format("{} has the key '{}' twice in one object", what_, shown(name)));
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(json::binary_t&) override { return true; }
  // The parser reports it.
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  const std::string& what_;
  int levels_ = 0;
  std::vector<std::set<std::string>> keys_;  // of each object that is not complete
};

}  // namespace

std::string JsonCursor::name() const {
  if (!parent_) return name_;
  const std::string parent = parent_->name();
  return key_ ? parent + "." + key_ : parent + "[" + std::to_string(index_) + "]";
}

void JsonCursor::fail(const std::string& what) const {
  throw UserError(shown(name() + " " + what, kLongestSentence));
}

void JsonCursor::bad(const std::string& expected) const {
  const std::string value = value_.dump(-1, ' ', false, Dump::replace);
  fail("is " + shown(value, kLongestValue) + "; must be " + expected);
}

void JsonCursor::expect_keys(const std::set<std::string>& keys,
                             const std::set<std::string>& optional) const {
  if (!value_.is_object()) bad("an object");
  for (const std::string& key : keys) {
    if (!value_.contains(key)) fail("lacks the key '" + key + "'");
  }
  if (unknown_ == UnknownKeys::ignored) return;
  std::set<std::string> known = keys;
  known.insert(optional.begin(), optional.end());
  for (const auto& [key, value] : value_.items()) {
    if (!known.contains(key)) {
      fail("has an " + unknown_name("key", key, {known.begin(), known.end()}));
    }
  }
}

JsonCursor JsonCursor::at(const char* key) const { return {value_.at(key), this, key, 0}; }
JsonCursor JsonCursor::at(size_t index) const { return {value_.at(index), this, nullptr, index}; }

size_t JsonCursor::size() const {
  if (!value_.is_array()) bad("an array");
  return value_.size();
}

void JsonCursor::expect_size(size_t size, const std::string& what) const {
  if (!value_.is_array() || value_.size() != size) bad("[" + what + "]");
}

int64_t JsonCursor::integer(int64_t minimum, int64_t maximum) const {
  const bool fits =
      value_.is_number_integer() &&
      !(value_.is_number_unsigned() && value_.get<uint64_t>() > static_cast<uint64_t>(maximum));
  if (!fits || value_.get<int64_t>() < minimum || value_.get<int64_t>() > maximum) {
    bad("a whole number from " + std::to_string(minimum) +
        (maximum == std::numeric_limits<int64_t>::max() ? "" : " to " + std::to_string(maximum)));
  }
  return value_.get<int64_t>();
}

double JsonCursor::number() const {
  if (!value_.is_number() || !(value_.get<double>() >= 0) || std::isinf(value_.get<double>())) {
    bad("a number of at least 0");
  }
  return value_.get<double>();
}

std::string JsonCursor::text() const {
  if (!value_.is_string()) bad("a string");
  return value_.get<std::string>();
}

bool JsonCursor::boolean() const {
  if (!value_.is_boolean()) bad("true or false");
  return value_.get<bool>();
}

nlohmann::json parse_json(const std::string& text, const std::string& what) {
  Watch watch(what);
  nlohmann::json::sax_parse(text, &watch);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    // The reason is "[json.exception.parse_error.101] parse error at line 1, column 2: ...". The
    // label in brackets is of no use to a person.
    std::string reason = error.what();
    if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
    throw UserError(
        what + " is not JSON: " + (text.empty() ? "it is empty" : shown(reason, kLongestSentence)));
  }
}

}  // namespace cpbench
