// Against the examples of protobuf.dev/programming-guides/encoding.
#include "harness/chakra/protobuf_message.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

std::string hex(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char c : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

TEST(ProtobufMessage, numbers_texts_and_messages) {
  ProtobufMessage number, text, outer, packed;
  number.number(1, 150);
  EXPECT_EQ(hex(number.bytes()), "08 96 01");
  text.text(2, "testing");
  EXPECT_EQ(hex(text.bytes()), "12 07 74 65 73 74 69 6e 67");
  outer.message(3, number);
  EXPECT_EQ(hex(outer.bytes()), "1a 03 08 96 01");
  packed.numbers(6, {3, 270, 86942});
  packed.numbers(7, {});
  EXPECT_EQ(hex(packed.bytes()), "32 06 03 8e 02 9e a7 05");
}

TEST(ProtobufMessage, doubles_large_numbers_and_lengths) {
  ProtobufMessage real, large, empty;
  real.real(3, 1.0);
  EXPECT_EQ(hex(real.bytes()), "19 00 00 00 00 00 00 f0 3f");
  large.number(29, UINT64_MAX);
  EXPECT_EQ(hex(large.bytes()), "e8 01 ff ff ff ff ff ff ff ff ff 01");
  EXPECT_EQ(hex(empty.delimited()), "00");
  EXPECT_EQ(hex(large.delimited()).substr(0, 5), "0c e8");
}

}  // namespace
}  // namespace cpbench
