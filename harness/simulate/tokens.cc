#include "harness/simulate/tokens.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n'; }

}  // namespace

std::string_view TokenReader::next() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  const size_t begin = at_;
  while (at_ < text_.size() && !is_space(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

void TokenReader::refuse(std::string_view token, const std::string& wanted) const {
  const auto line = 1 + std::count(text_.begin(), text_.begin() + at_, '\n');
  const std::string found =
      token.empty() ? "the end" : "'" + std::string(token.substr(0, 40)) + "'";
  throw UserError(name_ + " line " + std::to_string(line) + ": " + wanted + " expected, " + found +
                  " found");
}

void TokenReader::expect(std::string_view word) {
  const std::string_view token = next();
  if (token != word) refuse(token, "'" + std::string(word) + "'");
}

int64_t TokenReader::integer(int64_t least, int64_t most) {
  const std::string_view token = next();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (token.empty() || error != std::errc() || end != token.data() + token.size() ||
      value < least || value > most) {
    refuse(token, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

double TokenReader::number() {
  const std::string_view token = next();
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (token.empty() || error != std::errc() || end != token.data() + token.size() ||
      !std::isfinite(value) || value < 0) {
    refuse(token, "a number of at least 0");
  }
  return value;
}

}  // namespace cpbench
