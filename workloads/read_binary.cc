// Reads .npy files of NumPy and .idx files of Megatron-LM, both little-endian.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>

#include "harness/plan/shown.h"
#include "workloads/byte_reader.h"
#include "workloads/read_lengths.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

// The text between `open` and `close` after `key`.
std::optional<std::string> value_of(const std::string& header, const std::string& key,
                                    const std::string& open, const std::string& close) {
  size_t found = header.find(key);
  if (found == std::string::npos) return std::nullopt;
  size_t start = header.find(open, found + key.size());
  if (start == std::string::npos) return std::nullopt;
  size_t end = header.find(close, ++start);
  if (end == std::string::npos) return std::nullopt;
  return header.substr(start, end - start);
}

// Bytes of an element: 8 for "<i8", 1 for "|u1", 0 if it is not a little-endian integer.
int integer_width(const std::string& descr) {
  constexpr std::array<std::string_view, 8> kKnown = {"|i1", "|u1", "<i2", "<u2",
                                                      "<i4", "<u4", "<i8", "<u8"};
  bool known = std::find(kKnown.begin(), kKnown.end(), descr) != kKnown.end();
  return known ? descr[2] - '0' : 0;
}

FileLengths without_empty(std::vector<int64_t> lengths) {
  const auto skipped = static_cast<int64_t>(std::erase(lengths, 0));
  return {std::move(lengths), skipped};
}

}  // namespace

// Layout (numpy.lib.format): magic, version (2 bytes), header length (2 bytes in version 1, else
// 4), a Python dict {'descr': '<i8', 'fortran_order': False, 'shape': (n,), }, the elements.
FileLengths read_npy_lengths(const std::string& path) {
  ByteReader reader(path);
  if (reader.bytes(6, "the magic of a .npy file") != std::string("\x93NUMPY")) {
    reader.fail(0, "not a .npy file: it does not begin with \\x93NUMPY");
  }
  uint64_t major = reader.number(1, "the version");
  reader.number(1, "the version");
  if (major < 1 || major > 3)
    reader.fail(6, fmt::format("the .npy version is {}; must be 1, 2 or 3", major));
  constexpr int64_t kLongestHeader = 1 << 20;
  int64_t header_length = reader.number(major == 1 ? 2 : 4, "the header's length");
  int64_t header_start = reader.offset();
  if (header_length > kLongestHeader) {
    reader.fail(header_start, fmt::format("the header has {} bytes; must have at most {}",
                                          header_length, kLongestHeader));
  }
  std::string header = reader.bytes(header_length, "the header");

  auto descr = value_of(header, "'descr'", "'", "'");
  auto shape = value_of(header, "'shape'", "(", ")");
  if (!descr || !shape) reader.fail(header_start, "the header must have 'descr' and 'shape'");
  int width = integer_width(*descr);
  if (width == 0) {
    reader.fail(header_start, fmt::format("the type of elements is '{}'; must be little-endian "
                                          "integers, such as '<i4' or '<i8'",
                                          shown(*descr)));
  }
  uint64_t count = 0;
  auto [end, error] = std::from_chars(shape->data(), shape->data() + shape->size(), count);
  // One dimension is written as (n,).
  if (error != std::errc() || std::string_view(end, shape->data() + shape->size()) != ",") {
    reader.fail(header_start,
                fmt::format("the shape is ({}); must have one dimension", shown(*shape)));
  }
  return without_empty(reader.lengths(count, width, (*descr)[1] == 'i'));
}

// Layout (megatron/core/datasets/indexed_dataset.py): magic, version (8 bytes), type of a token
// (1), sequence count (8), boundary count (8); then int32 lengths of the sequences, int64 pointers
// to them (not needed) and int64 document boundaries: document i has the sequences from boundary i
// to boundary i + 1. More may follow: the modes of multimodal sequences.
FileLengths read_idx_lengths(const std::string& path) {
  ByteReader reader(path);
  if (reader.bytes(9, "the magic of a Megatron .idx file") != std::string("MMIDIDX\0\0", 9)) {
    reader.fail(0, "not a Megatron .idx file: it does not begin with MMIDIDX");
  }
  uint64_t version = reader.number(8, "the version");
  if (version != 1) reader.fail(9, fmt::format("the .idx version is {}; must be 1", version));
  reader.number(1, "the type of a token");
  const uint64_t sequences = reader.number(8, "the sequence count");
  const uint64_t boundaries = reader.number(8, "the count of document boundaries");
  constexpr int64_t kSequenceBytes = 4 + 8, kBoundaryBytes = 8;
  const auto left = static_cast<uint64_t>(reader.left());
  if (sequences > left / kSequenceBytes ||
      boundaries > (left - sequences * kSequenceBytes) / kBoundaryBytes) {
    reader.fail(reader.offset(),
                fmt::format("the file is shorter than its header says: {} sequences and {} "
                            "document boundaries do not fit the {} bytes that follow",
                            sequences, boundaries, left));
  }
  const std::vector<int64_t> tokens = reader.lengths(sequences, 4, /*is_signed=*/true);
  reader.skip(static_cast<int64_t>(sequences) * 8);

  const int64_t start = reader.offset();
  const auto fail = [&](int64_t boundary, const std::string& what) {
    reader.fail(start + boundary * kBoundaryBytes, what);
  };
  if (boundaries == 0 || boundaries > kMostDocuments + 1) {
    fail(0, fmt::format("there are {} document boundaries; must be from 1 to {}", boundaries,
                        kMostDocuments + 1));
  }
  const std::vector<int64_t> bounds = reader.numbers(boundaries, 8, /*is_signed=*/true);
  if (bounds.front() != 0) {
    fail(0, fmt::format("the first document boundary is {}; must be 0", bounds.front()));
  }
  // Checked before any is used as an index.
  for (int64_t i = 1; i < std::ssize(bounds); ++i) {
    if (bounds[i] >= bounds[i - 1]) continue;
    fail(i, fmt::format("document boundary {} is {}, and the one before is {}; must not descend", i,
                        bounds[i], bounds[i - 1]));
  }
  if (bounds.back() != std::ssize(tokens)) {
    fail(std::ssize(bounds) - 1,
         fmt::format("the last document boundary is {}; must be {}, the number of sequences (a "
                     "faulty merge of index files leaves such boundaries)",
                     bounds.back(), tokens.size()));
  }
  std::vector<int64_t> documents;
  for (int64_t i = 0; i + 1 < std::ssize(bounds); ++i) {
    documents.push_back(
        std::accumulate(tokens.begin() + bounds[i], tokens.begin() + bounds[i + 1], int64_t{0}));
    if (documents.back() > kLongestDocument) {
      fail(i, fmt::format("document {} has {} tokens; must have at most {}", i, documents.back(),
                          kLongestDocument));
    }
  }
  return without_empty(std::move(documents));
}

}  // namespace cpbench
