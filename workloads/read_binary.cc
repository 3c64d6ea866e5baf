// NumPy's .npy and Megatron-LM's .idx, both little-endian.
#include <fmt/format.h>

#include <charconv>
#include <regex>

#include "workloads/byte_reader.h"
#include "workloads/read_lengths.h"

namespace cpbench {

// Layout (numpy.lib.format): magic, version (2 bytes), header length (2 bytes in version 1, else
// 4), a Python dict {'descr': '<i8', 'fortran_order': False, 'shape': (n,), }, the elements.
std::vector<int64_t> read_npy_lengths(const std::string& path) {
  ByteReader reader(path);
  if (reader.bytes(6, "the magic of a .npy file") != std::string("\x93NUMPY")) {
    reader.fail(0, "no .npy file: it does not start with \\x93NUMPY");
  }
  uint64_t major = reader.number(1, "the version");
  reader.number(1, "the version");
  if (major < 1 || major > 3)
    reader.fail(6, fmt::format(".npy version {} is not 1, 2 or 3", major));
  int64_t header_length = reader.number(major == 1 ? 2 : 4, "the header's length");
  int64_t header_start = reader.offset();
  std::string header = reader.bytes(header_length, "the header");

  std::smatch type, shape;
  static const std::regex kType("'descr' *: *'([^']*)'"), kShape("'shape' *: *\\(([^)]*)\\)");
  if (!std::regex_search(header, type, kType) || !std::regex_search(header, shape, kShape)) {
    reader.fail(header_start, "the header names no 'descr' and 'shape'");
  }
  static const std::regex kInteger("[<|]([iu])([1248])"), kOneDimension(" *([0-9]+) *, *");
  std::smatch integer, count_text;
  std::string type_text = type[1], shape_text = shape[1];
  if (!std::regex_match(type_text, integer, kInteger) ||
      (type_text[0] == '|') != (integer[2] == "1")) {
    reader.fail(header_start, fmt::format("elements of type '{}'; lengths are little-endian "
                                          "integers, such as '<i4' or '<i8'",
                                          type_text));
  }
  uint64_t count = 0;
  bool one_dimension = std::regex_match(shape_text, count_text, kOneDimension);
  if (one_dimension) {
    std::string digits = count_text[1];
    auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    one_dimension = parsed.ec == std::errc();
  }
  if (!one_dimension) {
    reader.fail(header_start, fmt::format("shape ({}); lengths have one dimension", shape_text));
  }
  return reader.lengths(count, integer[2].str()[0] - '0', integer[1] == "i");
}

// Layout (megatron/core/datasets/indexed_dataset.py): magic, version (8 bytes), type of a token
// (1), sequence count (8), document count (8), then int32 lengths of the sequences. Pointers and
// document boundaries follow and are not needed.
std::vector<int64_t> read_idx_lengths(const std::string& path) {
  ByteReader reader(path);
  if (reader.bytes(9, "the magic of a Megatron .idx file") != std::string("MMIDIDX\0\0", 9)) {
    reader.fail(0, "no Megatron .idx file: it does not start with MMIDIDX");
  }
  uint64_t version = reader.number(8, "the version");
  if (version != 1) reader.fail(9, fmt::format(".idx version {} is not 1", version));
  reader.number(1, "the type of a token");
  uint64_t sequences = reader.number(8, "the sequence count");
  reader.number(8, "the document count");
  return reader.lengths(sequences, 4, /*is_signed=*/true);
}

}  // namespace cpbench
