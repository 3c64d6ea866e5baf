#include "harness/execute_cuda/attention/cudnn_layout.h"

#include <algorithm>
#include <bit>

namespace cpbench {
namespace {

// Temporary dK and dV have the layout of K and V if the gaps take no more rows than the pieces.
constexpr int64_t kMostSpan = 2;

// The starts of the pieces and their end, relative to row `first`. That row is the first one or a
// few rows before, so that its side data are aligned to 16 bytes if the matrix is.
std::vector<int32_t> starts_of(const std::vector<Piece>& pieces, int32_t Piece::*row,
                               int32_t Piece::*rows, int32_t& first) {
  first = std::ranges::min(pieces, {}, row).*row / 4 * 4;
  std::vector<int32_t> starts;
  int32_t end = 0;
  for (const Piece& piece : pieces) {
    starts.push_back(piece.*row - first);
    end = std::max(end, starts.back() + piece.*rows);
  }
  starts.push_back(end);
  return starts;
}

bool keys_are_apart(const std::vector<Piece>& pieces, int64_t span) {
  std::vector<Piece> sorted = pieces;
  std::ranges::sort(sorted, {}, &Piece::kv_row);
  int64_t sum = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i - 1].kv_row + sorted[i - 1].kv_rows > sorted[i].kv_row) return false;
    sum += sorted[i].kv_rows;
  }
  return span <= kMostSpan * sum;
}

}  // namespace

int64_t bucket_of(int64_t value) {
  const int bits = std::bit_width(static_cast<uint64_t>(value));
  const int64_t step = bits > 3 ? int64_t{1} << (bits - 3) : 1;
  return (value + step - 1) / step * step;
}

CudnnLayout cudnn_layout(const PieceGroup& group) {
  const std::vector<Piece>& pieces = group.pieces;
  CudnnLayout result;
  result.window = group.window;
  result.batch = static_cast<int32_t>(bucket_of(static_cast<int64_t>(pieces.size())));
  int32_t max_q = kLeastRows, max_kv = kLeastRows;
  for (const Piece& piece : pieces) {
    max_q = std::max(max_q, piece.q_rows);
    max_kv = std::max(max_kv, piece.kv_rows);
    result.q_rows.push_back(piece.q_rows);
    result.kv_rows.push_back(piece.kv_rows);
  }
  result.max_q = static_cast<int32_t>(bucket_of(max_q));
  result.max_kv = static_cast<int32_t>(bucket_of(max_kv));
  result.q_starts = starts_of(pieces, &Piece::q_row, &Piece::q_rows, result.first_q);
  result.kv_starts = starts_of(pieces, &Piece::kv_row, &Piece::kv_rows, result.first_kv);
  result.out_starts = starts_of(pieces, &Piece::out_row, &Piece::q_rows, result.first_out);
  result.q_span = result.q_starts.back();
  if (keys_are_apart(pieces, result.kv_starts.back())) {
    result.dkv_starts = result.kv_starts;
  } else {
    int32_t row = 0;
    for (const Piece& piece : pieces) {
      result.dkv_starts.push_back(row);
      row += piece.kv_rows;
    }
    result.dkv_starts.push_back(row);
  }
  result.dkv_span = result.dkv_starts.back();
  result.total_q = bucket_of(result.q_span);
  result.total_kv = bucket_of(std::max(result.kv_starts.back(), result.dkv_span));

  std::vector<RowMove> dq, dkv;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    add_move(result.stores, result.q_starts[i], piece.out_row, piece.q_rows);
    add_move(result.q_moves, piece.q_row, result.q_starts[i], piece.q_rows);
    add_move(dq, result.q_starts[i], piece.out_row, piece.q_rows);
    add_move(dkv, result.dkv_starts[i], piece.dkv_row, piece.kv_rows);
  }
  result.dq = sums_of(dq);
  result.dkv = sums_of(dkv);

  const auto batch = static_cast<size_t>(result.batch);
  result.q_rows.resize(batch);
  result.kv_rows.resize(batch);
  for (auto* starts :
       {&result.q_starts, &result.kv_starts, &result.out_starts, &result.dkv_starts}) {
    starts->resize(batch + 1, starts->back());
  }
  return result;
}

std::vector<int64_t> ragged_offsets(const std::vector<int32_t>& starts, int64_t stride) {
  std::vector<int64_t> offsets;
  for (int32_t start : starts) offsets.push_back(start * stride);
  return offsets;
}

}  // namespace cpbench
