#include "baselines/magi/group_cast.h"

#include <algorithm>

namespace cpbench::magi {
namespace {

struct Edge {  // where a range that a rank needs begins or ends
  int64_t token;
  int32_t rank;
  bool begins;
};

struct Owned {
  Range tokens;
  int32_t rank;
};

std::vector<Edge> edges_of(const std::vector<Ranges>& needed) {
  std::vector<Edge> edges;
  for (size_t r = 0; r < needed.size(); ++r) {
    for (const Range& range : needed[r]) {
      edges.push_back({range.begin, static_cast<int32_t>(r), true});
      edges.push_back({range.end, static_cast<int32_t>(r), false});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return a.token != b.token ? a.token < b.token : a.rank < b.rank;
  });
  return edges;
}

std::vector<Owned> owned_in_order(const std::vector<Ranges>& homes) {
  std::vector<Owned> owned;
  for (size_t r = 0; r < homes.size(); ++r) {
    for (const Range& range : homes[r]) owned.push_back({range, static_cast<int32_t>(r)});
  }
  std::sort(owned.begin(), owned.end(),
            [](const Owned& a, const Owned& b) { return a.tokens.begin < b.tokens.begin; });
  return owned;
}

}  // namespace

std::vector<Cast> group_casts(const std::vector<Ranges>& homes, const std::vector<Ranges>& needed) {
  std::vector<Cast> casts;
  const std::vector<Edge> edges = edges_of(needed);
  std::vector<int32_t> needing;  // the ranks that need the current token, ascending
  size_t next = 0;
  auto pass_edges = [&](int64_t token) {  // applies all edges at or before `token`
    for (; next < edges.size() && edges[next].token <= token; ++next) {
      auto at = std::lower_bound(needing.begin(), needing.end(), edges[next].rank);
      if (edges[next].begins) {
        needing.insert(at, edges[next].rank);
      } else {
        needing.erase(at);
      }
    }
  };
  for (const auto& [tokens, owner] : owned_in_order(homes)) {
    int64_t begin = tokens.begin;
    while (begin < tokens.end) {
      pass_edges(begin);
      const int64_t end =
          next < edges.size() ? std::min(tokens.end, edges[next].token) : tokens.end;
      std::vector<int32_t> to;
      for (int32_t rank : needing) {
        if (rank != owner) to.push_back(rank);
      }
      const bool continues = !casts.empty() && casts.back().from == owner &&
                             casts.back().tokens.end == begin && casts.back().to == to;
      if (continues) {
        casts.back().tokens.end = end;
      } else if (!to.empty()) {
        casts.push_back({owner, std::move(to), {begin, end}});
      }
      begin = end;
    }
  }
  return casts;
}

Ranges as_ranges(const std::vector<int32_t>& ascending_ranks) {
  Ranges out;
  for (int32_t rank : ascending_ranks) extend(out, {rank, rank + 1});
  return out;
}

}  // namespace cpbench::magi
