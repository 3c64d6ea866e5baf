#include "harness/execute_cuda/attention/row_moves.h"

#include <algorithm>
#include <set>

namespace cpbench {
namespace {

// Whether a sum for row `to`, with the sources from `first` on, continues the last one.
bool continues_last(const RowSums& all, int32_t to, size_t first) {
  if (all.sums.empty()) return false;
  const RowSum& last = all.sums.back();
  if (last.to + last.rows != to) return false;
  if (static_cast<size_t>(last.sources) != all.from.size() - first) return false;
  for (size_t i = 0; i < all.from.size() - first; ++i) {
    if (all.from[last.first + i] + last.rows != all.from[first + i]) return false;
  }
  return true;
}

}  // namespace

void add_move(std::vector<RowMove>& moves, int32_t from, int32_t to, int32_t rows) {
  if (!moves.empty()) {
    RowMove& last = moves.back();
    if (last.from + last.rows == from && last.to + last.rows == to) {
      last.rows += rows;
      return;
    }
  }
  moves.push_back({from, to, rows, static_cast<int32_t>(rows_of(moves))});
}

int64_t rows_of(std::span<const RowMove> moves) {
  return moves.empty() ? 0 : moves.back().before + int64_t{moves.back().rows};
}

RowSums sums_of(std::span<const RowMove> moves) {
  struct Edge {
    int32_t row;
    int32_t move;
    bool begins;
  };
  std::vector<Edge> edges;
  for (size_t i = 0; i < moves.size(); ++i) {
    if (moves[i].rows <= 0) continue;
    const auto move = static_cast<int32_t>(i);
    edges.push_back({moves[i].to, move, true});
    edges.push_back({moves[i].to + moves[i].rows, move, false});
  }
  std::ranges::sort(edges, {}, &Edge::row);
  RowSums result;
  std::set<int32_t> here;  // moves that cover the row, in order
  for (size_t i = 0; i < edges.size();) {
    const int32_t row = edges[i].row;
    for (; i < edges.size() && edges[i].row == row; ++i) {
      if (edges[i].begins) {
        here.insert(edges[i].move);
      } else {
        here.erase(edges[i].move);
      }
    }
    if (here.empty()) continue;
    const size_t first = result.from.size();
    for (int32_t move : here) result.from.push_back(moves[move].from + row - moves[move].to);
    const int32_t rows = edges[i].row - row;
    if (continues_last(result, row, first)) {
      result.sums.back().rows += rows;
      result.from.resize(first);
      continue;
    }
    result.sums.push_back({.to = row,
                           .rows = rows,
                           .before = static_cast<int32_t>(result.rows()),
                           .first = static_cast<int32_t>(first),
                           .sources = static_cast<int32_t>(here.size())});
  }
  return result;
}

}  // namespace cpbench
