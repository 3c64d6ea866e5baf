// A message in the encoding of Protocol Buffers, written field by field. Field numbers and types
// are those of a .proto file; fields that have their default values may be left out.
//
//   ProtobufMessage node;
//   node.number(1, id);
//   node.text(2, "attention");
//   node.numbers(4, dependencies);
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

class ProtobufMessage {
 public:
  const std::string& bytes() const { return bytes_; }

  // int32, int64, uint32, uint64, bool and enum, not negative.
  void number(uint32_t field, uint64_t value) {
    key(field, kVarint);
    varint(value, bytes_);
  }
  void real(uint32_t field, double value) {  // double
    key(field, kFixed64);
    auto bits = std::bit_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8) bytes_ += static_cast<char>(bits & 0xff);
  }
  void text(uint32_t field, const std::string& value) {  // string
    key(field, kLength);
    varint(value.size(), bytes_);
    bytes_ += value;
  }
  void message(uint32_t field, const ProtobufMessage& value) { text(field, value.bytes_); }
  // repeated integers, packed; nothing if there are none
  void numbers(uint32_t field, const std::vector<uint64_t>& values) {
    if (values.empty()) return;
    std::string packed;
    for (const uint64_t value : values) varint(value, packed);
    text(field, packed);
  }

  // Its length and itself, as in a file of several messages.
  std::string delimited() const {
    std::string out;
    varint(bytes_.size(), out);
    return out + bytes_;
  }

 private:
  enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2 };

  void key(uint32_t field, WireType type) { varint((uint64_t{field} << 3) | type, bytes_); }
  static void varint(uint64_t value, std::string& out) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
    out += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace cpbench
