#include "harness/execute_cuda/attention/pieces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

namespace cpbench {
namespace {

// Rows of a library's thread block. It is not exact for all libraries, but only costs depend on it.
constexpr int64_t kTileRows = 128;
// How many thread blocks without work take as long as one more launch with its tail: about a
// nanosecond each, and 30 us. These are estimates of the order of magnitude.
constexpr int64_t kLaunchBlocks = 1 << 15;

// Query row i sees key row j of the segment if first <= j - i <= last.
struct Band {
  int64_t first = 0, last = 0;
};

Band band_of(const Segment& s) {
  switch (s.mask) {
    case SegmentMask::full:
      return {1 - int64_t{s.q_rows}, s.kv_rows};
    case SegmentMask::causal:
      return {1 - int64_t{s.q_rows}, int64_t{s.kv_rows} - s.q_rows};
    case SegmentMask::band:
      break;
  }
  return {s.first, s.last};
}

void add_blank(std::vector<RowRange>& blank, int64_t row, int64_t rows) {
  if (rows <= 0) return;
  blank.push_back({static_cast<int32_t>(row), static_cast<int32_t>(rows)});
}

void add_piece(const Segment& s, std::map<Window, std::vector<Piece>>& pieces,
               std::vector<RowRange>& blank) {
  Band band = band_of(s);
  // Rows [begin, end) see a key.
  const int64_t begin = std::clamp<int64_t>(-band.last, 0, s.q_rows);
  int64_t end = std::clamp<int64_t>(s.kv_rows - band.first, begin, s.q_rows);
  if (s.kv_rows <= 0 || band.first > band.last) end = begin;
  if (begin == end) return add_blank(blank, s.out_row, s.q_rows);
  add_blank(blank, s.out_row, begin);
  add_blank(blank, s.out_row + end, s.q_rows - end);
  // Keys [kv_begin, kv_end) are seen.
  const int64_t kv_begin = std::max<int64_t>(0, begin + band.first);
  const int64_t kv_end = std::min<int64_t>(s.kv_rows, end + band.last);
  const int64_t q_rows = end - begin, kv_rows = kv_end - kv_begin;
  band.first += begin - kv_begin;
  band.last += begin - kv_begin;
  Window window;
  if (q_rows - 1 + band.first > 0)
    window.left = static_cast<int32_t>(kv_rows - q_rows - band.first);
  if (band.last < kv_rows - 1) window.right = static_cast<int32_t>(band.last - kv_rows + q_rows);
  if (q_rows == 1) window = kCausal;  // which is the same as full for one row
  const auto plus = [](int32_t row, int64_t rows) { return static_cast<int32_t>(row + rows); };
  pieces[window].push_back({.q_row = plus(s.q_row, begin),
                            .q_rows = static_cast<int32_t>(q_rows),
                            .kv_row = plus(s.kv_row, kv_begin),
                            .kv_rows = static_cast<int32_t>(kv_rows),
                            .out_row = plus(s.out_row, begin),
                            .dkv_row = plus(s.dkv_row, kv_begin)});
}

int64_t tiles_of(const Piece& piece) { return (piece.q_rows + kTileRows - 1) / kTileRows; }

size_t length_class(const Piece& piece) {
  return std::bit_width(static_cast<uint64_t>(tiles_of(piece)));
}
constexpr size_t kLengthClasses = 33;

// The group of each length class. Groups are ranges of classes, chosen so that thread blocks and
// launches together cost least.
std::array<size_t, kLengthClasses> length_groups(const std::vector<Piece>& pieces, int32_t heads) {
  std::array<int64_t, kLengthClasses> count{}, longest{};
  for (const Piece& piece : pieces) {
    const size_t c = length_class(piece);
    ++count[c];
    longest[c] = std::max(longest[c], tiles_of(piece));
  }
  std::array<int64_t, kLengthClasses + 1> cost{};  // [n]: of the first n classes
  std::array<size_t, kLengthClasses + 1> from{};   // [n]: where the last of their groups begins
  for (size_t end = 1; end <= kLengthClasses; ++end) {
    cost[end] = cost[end - 1];
    from[end] = end - 1;
    if (count[end - 1] == 0) continue;
    cost[end] = INT64_MAX;
    int64_t members = 0;
    for (size_t begin = end; begin-- > 0;) {
      members += count[begin];
      const int64_t total = cost[begin] + members * longest[end - 1] * heads + kLaunchBlocks;
      if (total >= cost[end]) continue;
      cost[end] = total;
      from[end] = begin;
    }
  }
  std::array<size_t, kLengthClasses> group{};
  for (size_t end = kLengthClasses; end > 0; end = from[end]) {
    for (size_t c = from[end]; c < end; ++c) group[c] = end;
  }
  return group;
}

}  // namespace

CallPieces pieces_of(std::span<const Segment> segments, int32_t heads) {
  CallPieces result;
  std::map<Window, std::vector<Piece>> by_window;
  for (const Segment& s : segments) add_piece(s, by_window, result.blank);
  for (auto& [window, pieces] : by_window) {
    std::ranges::sort(pieces, {}, &Piece::q_row);
    const auto group_of = length_groups(pieces, heads);
    std::map<size_t, std::vector<Piece>> by_length;
    for (const Piece& piece : pieces) by_length[group_of[length_class(piece)]].push_back(piece);
    for (auto& [_, group] : by_length) result.groups.push_back({window, std::move(group)});
  }
  return result;
}

}  // namespace cpbench
