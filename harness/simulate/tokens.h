// Words and numbers separated by spaces and line ends: how two programs tell each other schedules
// and results. A number comes back as exactly the one that was written.
//
//   std::string text;
//   put(text, "links", 2.5e-6, 450e9);      // one line: "links 2.5e-06 450000000000"
//   TokenReader reader(text, "schedule");
//   reader.expect("links"); double latency = reader.number();
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace cpbench {

inline void put_token(std::string& text, std::string_view word) { text += word; }

template <class Number>
  requires std::is_arithmetic_v<Number>
void put_token(std::string& text, Number value) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

// One line.
template <class... Tokens>
void put(std::string& text, const Tokens&... tokens) {
  ((put_token(text, tokens), text += ' '), ...);
  text.back() = '\n';
}

// What does not fit throws UserError: "schedule line 7: an integer from 0 to 7 expected, '8'
// found".
class TokenReader {
 public:
  TokenReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  void expect(std::string_view word);
  int64_t integer(int64_t least, int64_t most);
  int32_t index(int64_t size) { return static_cast<int32_t>(integer(0, size - 1)); }
  int32_t index_or_none(int64_t size) { return static_cast<int32_t>(integer(-1, size - 1)); }
  int64_t count() { return integer(0, static_cast<int64_t>(text_.size())); }  // of rows that follow
  double number();                                                            // finite, at least 0

 private:
  std::string_view next();
  [[noreturn]] void refuse(std::string_view token, const std::string& wanted) const;

  std::string_view text_;
  std::string name_;
  size_t at_ = 0;
};

}  // namespace cpbench
