#include "methods/fcp/colouring.h"

#include <algorithm>
#include <bit>

namespace cpbench::fcp {
namespace {

class EdgeColourer {
 public:
  EdgeColourer(const std::vector<Edge>& edges, int32_t ranks, int32_t stage_colours)
      : edges_(edges),
        colours_(max_degree(edges, ranks)),
        stage_colours_(stage_colours),
        stages_((colours_ + stage_colours - 1) / stage_colours),
        senders_(ranks, *this),
        receivers_(ranks, *this),
        colour_(edges.size()) {}

  Colouring run() {
    for (size_t e = 0; e < edges_.size(); ++e) {
      const auto [from, to, wanted] = edges_[e];
      const int32_t both = nearest_stage(
          wanted, [&](int32_t s) { return senders_.left(from, s) && receivers_.left(to, s); });
      int32_t colour = -1;
      if (both >= 0) {
        colour = common_free(from, to, both);
        if (colour < 0) {
          colour = senders_.first_free(from, both);
          swap_path(to, colour, receivers_.first_free(to, both));
        }
      } else {
        const int32_t sends =
            nearest_stage(wanted, [&](int32_t s) { return senders_.left(from, s) > 0; });
        const int32_t receives =
            nearest_stage(wanted, [&](int32_t s) { return receivers_.left(to, s) > 0; });
        colour = senders_.first_free(from, sends);
        swap_path(to, colour, receivers_.first_free(to, receives));
      }
      set(static_cast<int32_t>(e), colour);
    }
    return {colours_, std::move(colour_)};
  }

 private:
  // The edge of each colour at each vertex of one side, and how many colours of each stage are left
  // there.
  class Side {
   public:
    Side(int32_t ranks, const EdgeColourer& all)
        : colours_(all.colours_),
          stage_colours_(all.stage_colours_),
          stages_(all.stages_),
          edge_at_(static_cast<size_t>(ranks) * all.colours_, -1),
          left_(static_cast<size_t>(ranks) * all.stages_, all.stage_colours_) {
      if (stages_ == 0) return;
      for (int32_t r = 0; r < ranks; ++r) {
        left_[static_cast<size_t>(r + 1) * stages_ - 1] -= stages_ * stage_colours_ - colours_;
      }
    }
    int32_t at(int32_t rank, int32_t colour) const {
      return edge_at_[static_cast<size_t>(rank) * colours_ + colour];
    }
    int32_t left(int32_t rank, int32_t stage) const {
      return left_[static_cast<size_t>(rank) * stages_ + stage];
    }
    int32_t first_free(int32_t rank, int32_t stage) const {
      int32_t colour = stage * stage_colours_;
      while (at(rank, colour) >= 0) ++colour;
      return colour;
    }
    void put(int32_t rank, int32_t colour, int32_t edge) {
      edge_at_[static_cast<size_t>(rank) * colours_ + colour] = edge;
      --left_[static_cast<size_t>(rank) * stages_ + colour / stage_colours_];
    }
    void clear(int32_t rank, int32_t colour) {
      edge_at_[static_cast<size_t>(rank) * colours_ + colour] = -1;
      ++left_[static_cast<size_t>(rank) * stages_ + colour / stage_colours_];
    }

   private:
    int32_t colours_, stage_colours_, stages_;
    std::vector<int32_t> edge_at_;
    std::vector<int32_t> left_;
  };

  // -1 if no stage is good.
  template <typename Good>
  int32_t nearest_stage(int32_t wanted, Good good) const {
    for (int32_t away = 0; away < stages_; ++away) {
      if (wanted + away < stages_ && good(wanted + away)) return wanted + away;
      if (away <= wanted && good(wanted - away)) return wanted - away;
    }
    return -1;
  }

  int32_t common_free(int32_t from, int32_t to, int32_t stage) const {
    const int32_t end = std::min((stage + 1) * stage_colours_, colours_);
    for (int32_t colour = stage * stage_colours_; colour < end; ++colour) {
      if (senders_.at(from, colour) < 0 && receivers_.at(to, colour) < 0) return colour;
    }
    return -1;
  }

  void set(int32_t edge, int32_t colour) {
    senders_.put(edges_[edge].from, colour, edge);
    receivers_.put(edges_[edge].to, colour, edge);
    colour_[edge] = colour;
  }

  // Swaps the colours a and b along the path that leaves receiver `to` by an edge of colour a.
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
  int32_t colours_, stage_colours_, stages_;
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

Colouring colour_edges(const std::vector<Edge>& edges, int32_t ranks, int32_t stage_colours) {
  return EdgeColourer(edges, ranks, stage_colours).run();
}

}  // namespace cpbench::fcp
