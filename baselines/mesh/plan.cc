// Mesh-Attention: the ranks form a grid of a x b, and each attends a tile of a query shards and b
// key shards. Queries travel along rows, keys and values along columns, and partial outputs return
// along rows.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// Bytes per token of what a query shard, or a key shard, costs for each rank that it visits.
struct VisitBytes {
  int64_t queries = 0;
  int64_t keys = 0;
};

VisitBytes visit_bytes(const AttentionShape& shape) {
  const auto bytes = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, {0, shape.query_heads}, shape, GradientWire::model);
  };
  return {2 * bytes(Tensor::q) + bytes(Tensor::o) + bytes(Tensor::d_o) + bytes(Tensor::dq),
          2 * bytes(Tensor::kv) + bytes(Tensor::dkv)};
}

// The divisor a of the ranks for which a tile of a query shards and ranks / a key shards costs the
// fewest bytes; the smallest one of several.
int32_t best_rows(const AttentionShape& shape, int32_t ranks) {
  const VisitBytes bytes = visit_bytes(shape);
  int32_t best = 1;
  int64_t least = 0;
  for (int32_t a = 1; a <= ranks; ++a) {
    if (ranks % a != 0) continue;
    const int64_t cost = (a - 1) * bytes.queries + (ranks / a - 1) * bytes.keys;
    if (a > 1 && cost >= least) continue;
    best = a;
    least = cost;
  }
  return best;
}

class Planner {
 public:
  Planner(const Problem& problem, const std::vector<Ranges>& shards, int64_t rows)
      : builder_(problem) {
    // 1. Ranks without tokens take no part.
    const MaskIndex mask(problem.batch);
    for (int32_t rank = 0; rank < problem.ranks(); ++rank) {
      if (builder_.home(rank, shards[rank]) == RangeSets::kEmpty) continue;
      members_.push_back(rank);
      shards_.push_back(shards[rank]);
      queries_.push_back(intersect(shards[rank], mask.new_tokens()));
    }
    rows_ = best_rows(problem.shape, size());
    if (rows > 0 && size() == problem.ranks()) rows_ = static_cast<int32_t>(rows);
    columns_ = size() / rows_;
  }

  Plan run() {
    go(builder_.forward(), {Tensor::q}, {{Tensor::o, true}});
    go(builder_.backward(), {Tensor::q, Tensor::d_o}, {{Tensor::dq, true}, {Tensor::dkv, false}});
    return builder_.finish();
  }

 private:
  struct Result {
    Tensor tensor;
    bool along_row = false;  // otherwise along the column
  };

  int32_t size() const { return static_cast<int32_t>(members_.size()); }

  // 2. Member i is in row i / a, with the a members that follow one another, and in column i mod a,
  // with the b members that lie a apart. So its own queries and keys are in its tile.
  // The member that lies so many places before i on the ring of its row, or of its column.
  int32_t in_row(int32_t i, int32_t back) const {
    const int32_t begin = i / rows_ * rows_;
    return begin + (i - begin - back + rows_) % rows_;
  }
  int32_t in_column(int32_t i, int32_t back) const { return (i - back * rows_ + size()) % size(); }

  // 3. One arrival in each step, along the row or along the column: greedily what lets a rank
  // attend more blocks, and keys if both are equal. What arrives is attended in the next step to
  // all that is there of the other kind.
  void go(PassBuilder pass, const std::vector<Tensor>& travel, const std::vector<Result>& results) {
    int32_t rows = 1, columns = 1;  // shards of queries and of keys that each rank has
    attend(pass, 0, true, rows, columns);
    int32_t step = 0;
    for (; rows < rows_ || columns < columns_; ++step) {
      const bool keys = rows == rows_ || (columns < columns_ && rows >= columns);
      for (int32_t i = 0; i < size(); ++i) {
        if (keys) {
          hop(pass, step, i, in_column(i, -1), Tensor::kv, shards_[in_column(i, columns - 1)]);
        } else {
          for (const Tensor tensor : travel) {
            hop(pass, step, i, in_row(i, -1), tensor, queries_[in_row(i, rows - 1)]);
          }
        }
      }
      (keys ? columns : rows) += 1;
      attend(pass, step + 1, keys, rows, columns);
    }
    for (const Result& result : results) give_back(pass, step + 1, result);
  }

  void hop(PassBuilder& pass, int32_t step, int32_t from, int32_t to, Tensor tensor,
           const Ranges& tokens) {
    pass.send(step, members_[from], members_[to], tensor, builder_.tokens(tokens));
  }

  // The blocks of the latest shard of keys, or of queries.
  void attend(PassBuilder& pass, int32_t step, bool keys, int32_t rows, int32_t columns) {
    for (int32_t i = 0; i < size(); ++i) {
      Ranges q, kv;
      const auto add = [](Ranges& all, const Ranges& shard) {
        all.insert(all.end(), shard.begin(), shard.end());
      };
      for (int32_t back = keys ? 0 : rows - 1; back < rows; ++back) {
        add(q, back == 0 ? shards_[i] : queries_[in_row(i, back)]);
      }
      for (int32_t back = keys ? columns - 1 : 0; back < columns; ++back) {
        add(kv, shards_[in_column(i, back)]);
      }
      pass.attend(step, members_[i], builder_.tokens(normalise(std::move(q))),
                  builder_.tokens(normalise(std::move(kv))));
    }
  }

  // 4. Partial results go straight to their owners.
  void give_back(PassBuilder& pass, int32_t step, const Result& result) {
    for (int32_t i = 0; i < size(); ++i) {
      for (int32_t back = 1; back < (result.along_row ? rows_ : columns_); ++back) {
        const int32_t owner = result.along_row ? in_row(i, back) : in_column(i, back);
        const std::vector<Ranges>& sets = result.along_row ? queries_ : shards_;
        hop(pass, step, i, owner, result.tensor, sets[owner]);
      }
    }
  }

  PlanBuilder builder_;
  std::vector<int32_t> members_;  // ranks that own tokens
  std::vector<Ranges> shards_;    // of the members
  std::vector<Ranges> queries_;   // their tokens that have a query
  int32_t rows_ = 1;              // a: members of a row, query shards of a tile
  int32_t columns_ = 1;           // b: members of a column, key shards of a tile
};

Plan plan(const Problem& problem, const Options& options) {
  const int64_t rows = options.integer("query_shards");
  const int32_t ranks = problem.ranks();
  if (rows > 0 && ranks % rows != 0) {
    throw Unsupported("tiles of query_shards=" + std::to_string(rows) + " do not divide " +
                      std::to_string(ranks) + " ranks");
  }
  const bool pack = options.text("cut") == "pack";
  return Planner(problem,
                 pack ? head_tail_shards(problem.tokens(), ranks)
                      : new_and_cached_shards(problem.batch, ranks),
                 rows)
      .run();
}

}  // namespace

extern const Strategy strategy_mesh = {
    .name = "mesh",
    .title = "Mesh-Attention",
    .source = "Chen et al.: Mesh-Attention, arXiv 2512.20968",
    .moves =
        "Q round the rows of a grid of ranks and K, V round its columns, partial O back along "
        "rows; in the backward pass dO as Q, and dQ, dK, dV back",
    .constraints = "query_shards divides the ranks",
    .options = {integer_option("query_shards", "0",
                               "a, the query shards of a rank's tile; 0: the divisor of the ranks "
                               "that moves the fewest bytes",
                               0, 1 << 20),
                choice_option("cut", "pack", "cut the pack into 2N chunks, or every document",
                              {"pack", "document"})},
    .tuning = {{"query_shards", {"1", "2", "4", "8"}}, {"cut", {"document"}}},
    .plan = plan,
};

}  // namespace cpbench
