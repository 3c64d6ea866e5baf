#include "baselines/magi/stages.h"

#include <algorithm>
#include <cmath>

namespace cpbench::magi {
namespace {

// Upstream's min_chunk_size, max_num_chunks and dynamic_max_degree.
constexpr int64_t kPieceTokens = 512;
constexpr int64_t kMostPieces = 64;
constexpr int32_t kMostStages = 8;

std::vector<Ranges> pieces_of(RangeSpan remote) {
  const int64_t total = size_of(remote);
  int64_t piece = kPieceTokens;
  if (total > piece * kMostPieces) piece = (total + kMostPieces - 1) / kMostPieces;
  std::vector<Ranges> pieces;
  int64_t room = 0;  // of the last piece
  for (Range left : remote) {
    while (left.begin < left.end) {
      if (room == 0) {
        pieces.emplace_back();
        room = piece;
      }
      const int64_t end = std::min(left.end, left.begin + room);
      pieces.back().push_back({left.begin, end});
      room -= end - left.begin;
      left.begin = end;
    }
  }
  return pieces;
}

// The stage of each item. There are no more stages than pieces.
std::vector<int32_t> deal(size_t pieces, int32_t stages) {
  const size_t items = pieces + 1;
  const auto used = std::max<size_t>(1, std::min<size_t>(stages, pieces));
  std::vector<int32_t> stage_of;
  for (size_t s = 0; s < used; ++s) {
    stage_of.insert(stage_of.end(), items / used + (s < items % used), static_cast<int32_t>(s));
  }
  return stage_of;
}

struct ItemCosts {
  std::vector<double> attention;  // of each item, in microseconds
  std::vector<double> transfer;   // 0 for item 0
};

ItemCosts item_costs(const MaskIndex& mask, const Ranges& home, const std::vector<Ranges>& pieces,
                     const StageCosts& costs) {
  auto attention = [&](const Ranges& keys) {
    return costs.microseconds_per_pair * static_cast<double>(mask.pairs(home, keys));
  };
  ItemCosts out{{attention(home)}, {0}};
  for (const Ranges& piece : pieces) {
    out.attention.push_back(attention(piece));
    out.transfer.push_back(costs.microseconds_per_token * static_cast<double>(size_of(piece)));
  }
  return out;
}

// A stage travels behind the attention to the stage before, and the first behind that to the keys
// at home; nothing travels behind the attention to the last.
double estimate(const ItemCosts& items, const std::vector<int32_t>& stage_of, int32_t stages) {
  std::vector<double> attention(stages + 1, 0), transfer(stages + 1, 0);
  attention[0] = items.attention[0];
  for (size_t i = 1; i < stage_of.size(); ++i) {
    attention[stage_of[i] + 1] += items.attention[i];
    transfer[stage_of[i]] += items.transfer[i];
  }
  double microseconds = 0;
  for (int32_t s = 0; s <= stages; ++s) microseconds += std::max(attention[s], transfer[s]);
  return microseconds;
}

int32_t best_stages(const ItemCosts& items) {
  int32_t best = 0;
  double least = 0;
  for (int32_t stages = 1; stages <= kMostStages; ++stages) {
    const auto stage_of = deal(items.attention.size() - 1, stages);
    const double rounded = std::nearbyint(estimate(items, stage_of, stages));
    if (best > 0 && rounded >= least) continue;
    best = stages;
    least = rounded;
  }
  return best;
}

}  // namespace

std::vector<std::vector<Ranges>> stages_of(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                           const std::vector<Ranges>& needed, int32_t stages,
                                           const StageCosts& costs) {
  const size_t ranks = homes.size();
  std::vector<std::vector<Ranges>> out(stages, std::vector<Ranges>(ranks));
  for (size_t r = 0; r < ranks; ++r) {
    const std::vector<Ranges> pieces = pieces_of(subtract(needed[r], homes[r]));
    const int32_t own =
        stages > 0 ? stages : best_stages(item_costs(mask, homes[r], pieces, costs));
    if (std::ssize(out) < own) out.resize(own, std::vector<Ranges>(ranks));
    const std::vector<int32_t> stage_of = deal(pieces.size(), own);
    for (size_t p = 0; p < pieces.size(); ++p) {
      Ranges& received = out[stage_of[p + 1]][r];
      received.insert(received.end(), pieces[p].begin(), pieces[p].end());
    }
  }
  for (auto& stage : out) {
    for (Ranges& received : stage) received = normalise(std::move(received));
  }
  return out;
}

}  // namespace cpbench::magi
