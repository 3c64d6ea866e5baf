#include "methods/fcp/colouring.h"

#include <algorithm>
#include <bit>

namespace cpbench::fcp {
namespace {

class EdgeColourer {
 public:
  EdgeColourer(const std::vector<Edge>& edges, int32_t ranks)
      : edges_(edges),
        colours_(max_degree(edges, ranks)),
        words_((static_cast<size_t>(colours_) + 63) / 64),
        senders_(ranks, colours_, words_),
        receivers_(ranks, colours_, words_),
        colour_(edges.size()) {}

  Colouring run() {
    for (size_t e = 0; e < edges_.size(); ++e) {
      const auto edge = static_cast<int32_t>(e);
      const auto [from, to] = edges_[e];
      int32_t colour = common_free(from, to);
      if (colour < 0) {
        colour = senders_.last_free(from);
        swap_path(to, colour, receivers_.last_free(to));
      }
      set(edge, colour);
    }
    return {colours_, std::move(colour_)};
  }

 private:
  // Which edge has which colour at each vertex of one side, and which colours are free there.
  struct Side {
    Side(int32_t ranks, int32_t colours, size_t words)
        : colours(colours),
          words(words),
          edge_at(size_t(ranks) * colours, -1),
          free(size_t(ranks) * words, ~uint64_t{0}) {
      if (colours % 64 == 0) return;
      for (int32_t r = 0; r < ranks; ++r) {
        free[(r + 1) * words - 1] = (uint64_t{1} << (colours % 64)) - 1;
      }
    }
    int32_t& at(int32_t rank, int32_t colour) { return edge_at[size_t(rank) * colours + colour]; }
    uint64_t* free_of(int32_t rank) { return &free[rank * words]; }
    void put(int32_t rank, int32_t colour, int32_t edge) {
      at(rank, colour) = edge;
      free_of(rank)[colour / 64] &= ~(uint64_t{1} << (colour % 64));
    }
    void clear(int32_t rank, int32_t colour) {
      at(rank, colour) = -1;
      free_of(rank)[colour / 64] |= uint64_t{1} << (colour % 64);
    }
    // High colours are used less, so paths of them are short.
    int32_t last_free(int32_t rank) {
      const uint64_t* bits = free_of(rank);
      size_t w = words - 1;
      while (bits[w] == 0) --w;  // the degree is at most D, so one is free
      return static_cast<int32_t>(w * 64) + 63 - std::countl_zero(bits[w]);
    }

    size_t colours, words;
    std::vector<int32_t> edge_at;
    std::vector<uint64_t> free;
  };

  int32_t common_free(int32_t from, int32_t to) {
    const uint64_t* a = senders_.free_of(from);
    const uint64_t* b = receivers_.free_of(to);
    for (size_t w = 0; w < words_; ++w) {
      if (const uint64_t both = a[w] & b[w]) {
        return static_cast<int32_t>(w * 64) + std::countr_zero(both);
      }
    }
    return -1;
  }

  void set(int32_t edge, int32_t colour) {
    senders_.put(edges_[edge].from, colour, edge);
    receivers_.put(edges_[edge].to, colour, edge);
    colour_[edge] = colour;
  }

  // Swaps colours a and b along the path that leaves receiver `to` by an edge of colour a.
  void swap_path(int32_t to, int32_t a, int32_t b) {
    path_.clear();
    for (int32_t edge = receivers_.at(to, a); edge >= 0;) {
      path_.push_back(edge);
      const bool at_sender = path_.size() % 2 == 1;
      edge = at_sender ? senders_.at(edges_[edge].from, b) : receivers_.at(edges_[edge].to, a);
    }
    for (int32_t edge : path_) {
      senders_.clear(edges_[edge].from, colour_[edge]);
      receivers_.clear(edges_[edge].to, colour_[edge]);
    }
    for (int32_t edge : path_) set(edge, colour_[edge] == a ? b : a);
  }

  const std::vector<Edge>& edges_;
  int32_t colours_;
  size_t words_;
  Side senders_, receivers_;
  std::vector<int32_t> colour_;
  std::vector<int32_t> path_;
};

}  // namespace

int32_t max_degree(const std::vector<Edge>& edges, int32_t ranks) {
  std::vector<int32_t> sends(ranks, 0), receives(ranks, 0);
  int32_t most = 0;
  for (const Edge& e : edges) most = std::max({most, ++sends[e.from], ++receives[e.to]});
  return most;
}

Colouring colour_edges(const std::vector<Edge>& edges, int32_t ranks) {
  return EdgeColourer(edges, ranks).run();
}

}  // namespace cpbench::fcp
