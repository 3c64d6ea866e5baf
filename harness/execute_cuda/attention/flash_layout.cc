#include "harness/execute_cuda/attention/flash_layout.h"

#include <algorithm>

namespace cpbench {
namespace {

// The library also writes the rows between pieces. If these and the pieces have more rows than this
// multiple of the pieces' rows, a dense copy of the pieces is cheaper.
constexpr int64_t kMostSpan = 4;

struct Sequence {
  int32_t piece = -1;  // -1: a gap
  int32_t row = 0;
  int32_t rows = 0;
};

// Lists pieces and gaps in the order of `row`. Returns false if pieces overlap, or with their gaps
// have more rows than this multiple of their own.
bool tiles(const std::vector<Piece>& pieces, int32_t Piece::*row, int32_t Piece::*rows,
           int64_t most_span, std::vector<Sequence>& sequences) {
  int64_t sum = 0;
  int32_t end = pieces.front().*row;
  sequences.clear();
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (piece.*row < end) return false;
    if (piece.*row > end) sequences.push_back({-1, end, piece.*row - end});
    sequences.push_back({static_cast<int32_t>(i), piece.*row, piece.*rows});
    end = piece.*row + piece.*rows;
    sum += piece.*rows;
  }
  return end - pieces.front().*row <= most_span * sum;
}

// Lists the pieces one after another, and the moves that copy them to these rows.
void make_dense(const std::vector<Piece>& pieces, int32_t Piece::*row, int32_t Piece::*rows,
                std::vector<Sequence>& sequences, FlashRows& result) {
  sequences.clear();
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    sequences.push_back({static_cast<int32_t>(i), result.rows, piece.*rows});
    add_move(result.copy, piece.*row, result.rows, piece.*rows);
    result.rows += piece.*rows;
  }
}

FlashRows query_rows(const std::vector<Piece>& pieces, int64_t most_span,
                     std::vector<Sequence>& sequences) {
  FlashRows result;
  if (tiles(pieces, &Piece::q_row, &Piece::q_rows, most_span, sequences)) {
    result.first_row = pieces.front().q_row;
    result.rows = pieces.back().q_row + pieces.back().q_rows - result.first_row;
    for (Sequence& s : sequences) s.row -= result.first_row;
  } else {
    make_dense(pieces, &Piece::q_row, &Piece::q_rows, sequences, result);
  }
  for (const Sequence& s : sequences) result.starts.push_back(s.row);
  result.starts.push_back(result.rows);
  return result;
}

// The library treats calls with one query row per sequence as decoding, with another layout, so
// max_q is at least 2. It treats window limits of at least max_k as no limit, and no limit as
// max_k, which is only right if max_k is at least max_q.
template <typename Layout>
void set_maxima(const PieceGroup& group, Layout& layout) {
  layout.window = group.window;
  layout.max_q = 2;
  layout.max_k = 1;
  for (const Piece& piece : group.pieces) {
    layout.max_q = std::max(layout.max_q, piece.q_rows);
    layout.max_k = std::max(layout.max_k, piece.kv_rows);
  }
  if (group.window != kFull && group.window != kCausal) {
    layout.max_k = std::max(layout.max_k, layout.max_q);
  }
}

}  // namespace

FlashForward flash_forward(const PieceGroup& group) {
  FlashForward result;
  set_maxima(group, result);
  std::vector<Sequence> sequences;
  result.q = query_rows(group.pieces, kMostSpan, sequences);
  for (const Sequence& s : sequences) {
    if (s.piece < 0) {
      result.k_starts.push_back(0);
      result.k_used.push_back(0);
      continue;
    }
    const Piece& piece = group.pieces[s.piece];
    result.k_starts.push_back(piece.kv_row);
    result.k_used.push_back(piece.kv_rows);
    result.k_rows = std::max(result.k_rows, piece.kv_row + piece.kv_rows);
    add_move(result.stores, s.row, piece.out_row, s.rows);
  }
  result.k_starts.push_back(0);
  return result;
}

FlashBackward flash_backward(const PieceGroup& group, bool gaps) {
  FlashBackward result;
  set_maxima(group, result);
  std::vector<Sequence> q;
  result.q = query_rows(group.pieces, gaps ? kMostSpan : 1, q);

  // If keys are in place, those between two pieces belong to a sequence without queries.
  std::vector<Sequence> kv;
  std::vector<int32_t> at(group.pieces.size());  // by piece: the row of its first key
  const bool in_place = tiles(group.pieces, &Piece::kv_row, &Piece::kv_rows, kMostSpan, kv);
  if (in_place) {
    result.kv.first_row = group.pieces.front().kv_row;
    for (Sequence& s : kv) s.row -= result.kv.first_row;
    result.kv.rows = kv.back().row + kv.back().rows;
  } else {
    make_dense(group.pieces, &Piece::kv_row, &Piece::kv_rows, kv, result.kv);
  }
  for (const Sequence& s : kv) {
    if (s.piece >= 0) at[s.piece] = s.row;
  }

  // The sequences of both sides. A gap of one side has no rows on the other.
  std::vector<int32_t> q_starts;
  size_t next_kv = 0;
  const auto add = [&](int32_t q_row, int32_t kv_row) {
    q_starts.push_back(q_row);
    result.kv.starts.push_back(kv_row);
  };
  std::vector<RowMove> dq, dkv;
  for (const Sequence& s : q) {
    const int32_t kv_here = next_kv < kv.size() ? kv[next_kv].row : result.kv.rows;
    if (s.piece < 0) {
      add(s.row, kv_here);
      continue;
    }
    if (kv[next_kv].piece < 0) {
      add(s.row, kv[next_kv].row);
      ++next_kv;
    }
    add(s.row, kv[next_kv].row);
    ++next_kv;
    const Piece& piece = group.pieces[s.piece];
    add_move(result.q_moves, piece.q_row, s.row, s.rows);
    add_move(dq, s.row, piece.out_row, s.rows);
    add_move(dkv, at[s.piece], piece.dkv_row, piece.kv_rows);
  }
  q_starts.push_back(result.q.rows);
  result.kv.starts.push_back(result.kv.rows);
  result.q.starts = std::move(q_starts);
  result.dq = sums_of(dq);
  result.dkv = sums_of(dkv);
  return result;
}

}  // namespace cpbench
