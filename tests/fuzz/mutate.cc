#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <cctype>
#include <span>

#include "workloads/random.h"

namespace cpbench {
namespace {

constexpr size_t kLargest = 1 << 18;  // bytes; larger inputs are as good, and slower

// Numbers around which readers have their bounds.
constexpr uint64_t kNumbers[] = {
    0,          1,          2,          127,        128,        255,
    256,        32767,      65535,      65536,      1u << 20,   2147483647u,
    1ull << 31, 4294967295, 1ull << 32, 1ull << 48, 1ull << 62, (1ull << 63) - 1,
    1ull << 63, ~0ull,      ~0ull - 1};
constexpr const char* kWords[] = {
    "0",      "-1",   "+5",    "1e999", "nan",  "inf",  "-0.0", "\"",      "'",
    "\"\"\"", "[",    "]",     "{",     "}",    ",",    ".",    "=",       ":",
    "#",      "-",    "\n",    "\r\n",  "\t",   "null", "true", "\\u0000", "\xEF\xBB\xBF",
    "\xFF",   "(x2)", "[0-9]", "K",     "exec:"};

struct Part {
  size_t begin = 0, size = 0;
};

class Mutator {
 public:
  Mutator(const std::vector<std::string>& inputs, Random& random)
      : inputs_(inputs), random_(random), text_(any_input()) {}

  std::string result(int64_t changes) {
    for (int64_t i = 0; i < changes; ++i) change();
    text_.resize(std::min(text_.size(), kLargest));
    return text_;
  }

 private:
  size_t below(size_t bound) {
    return static_cast<size_t>(random_.below(static_cast<int64_t>(std::max<size_t>(1, bound))));
  }
  template <typename Value, size_t size>
  Value one_of(const Value (&values)[size]) {
    return values[below(size)];
  }
  std::string any_input() { return inputs_[below(inputs_.size())]; }

  // A few bytes, more often than many.
  Part part_of(const std::string& text) {
    const size_t begin = below(text.size() + 1);
    const size_t longest = below(2) == 0 ? 8 : text.size();
    return {begin, std::min(text.size() - begin, below(longest + 1))};
  }
  // A number or a word.
  Part token() {
    const auto in_token = [&](size_t i) {
      return std::isalnum(static_cast<unsigned char>(text_[i])) || text_[i] == '_';
    };
    size_t begin = below(text_.size() + 1);
    while (begin < text_.size() && !in_token(begin)) ++begin;
    while (begin > 0 && begin <= text_.size() && in_token(begin - 1)) --begin;
    size_t end = begin;
    while (end < text_.size() && in_token(end)) ++end;
    return {begin, end - begin};
  }
  std::string text_at(Part part) const { return text_.substr(part.begin, part.size); }
  void replace(Part part, const std::string& with) { text_.replace(part.begin, part.size, with); }

  void change() {
    switch (below(10)) {
      case 0:  // one bit
        if (!text_.empty()) text_[below(text_.size())] ^= static_cast<char>(1 << below(8));
        break;
      case 1:  // the end is missing
        text_.resize(below(text_.size() + 1));
        break;
      case 2:  // a part is missing
        replace(part_of(text_), "");
        break;
      case 3: {  // a part comes twice
        const Part part = part_of(text_);
        text_.insert(part.begin, text_at(part));
        break;
      }
      case 4: {  // a part comes often
        const std::string piece = text_at(part_of(text_)).substr(0, 16);
        std::string often;
        for (size_t times = below(4096); times > 0; --times) often += piece;
        text_.insert(below(text_.size() + 1), often);
        break;
      }
      case 5: {  // a part of another input
        const std::string other = any_input();
        const Part part = part_of(other);
        replace(part_of(text_), other.substr(part.begin, part.size));
        break;
      }
      case 6: {  // a binary number, little-endian
        const uint64_t number = one_of(kNumbers);
        const size_t width = size_t{1} << below(4);
        const size_t begin = below(text_.size() + 1);
        for (size_t i = 0; i < width && begin + i < text_.size(); ++i) {
          text_[begin + i] = static_cast<char>(number >> (8 * i));
        }
        break;
      }
      case 7: {  // a written number
        const bool negative = below(4) == 0;
        replace(token(), (negative ? "-" : "") + std::to_string(one_of(kNumbers)));
        break;
      }
      case 8:
        replace(below(2) == 0 ? token() : Part{below(text_.size() + 1), 0}, one_of(kWords));
        break;
      default: {  // two tokens change places
        const Part from = token();
        const std::string moved = text_at(from);
        const Part to = token();
        const std::string other = text_at(to);
        if (from.begin < to.begin) {
          replace(to, moved);
          replace(from, other);
        } else {
          replace(from, other);
          replace(to, moved);
        }
      }
    }
  }

  const std::vector<std::string>& inputs_;
  Random& random_;
  std::string text_;
};

}  // namespace

std::string fuzz_case(const std::vector<std::string>& inputs, uint64_t seed, int64_t index) {
  constexpr int64_t kMostChanges = 8;
  Random random(seed * 1000003 + static_cast<uint64_t>(index));
  return Mutator(inputs, random).result(1 + random.below(kMostChanges));
}

}  // namespace cpbench
