#include "methods/flashcp/deal.h"

#include <algorithm>
#include <cstdlib>

#include "harness/strategy/order.h"

namespace cpbench::flashcp {
namespace {

// The part of a rank's tokens that it takes from the fronts of the heads is a multiple of 2^-16.
constexpr int64_t kWhole = 1 << 16;
// A rank's work is close enough to its aim if they differ by this part of the limit. The ranks that
// follow make up for the difference.
constexpr int64_t kTolerance = 256;

struct Dealer {
  const std::vector<int64_t>& documents;
  const Visibility& sees;
  std::vector<Head>& heads;
  std::vector<int64_t> taken;  // from each head, by the rank whose turn it is

  int64_t work_of(const Head& head, Range tokens) const {
    return sees.work(tokens, documents[head.document]);
  }

  // Shares `tokens` of the `left` tokens of all heads between the heads, in proportion to their
  // sizes.
  void share(int64_t tokens, int64_t left) {
    int64_t missing = tokens;
    for (size_t i = 0; i < heads.size(); ++i) {
      taken[i] = heads[i].tokens.size() * tokens / left;
      missing -= taken[i];
    }
    for (size_t i = 0; missing > 0; ++i) {
      if (taken[i] == heads[i].tokens.size()) continue;
      ++taken[i];
      --missing;
    }
  }

  // Takes `tokens` from one head after another.
  void take_in_turn(int64_t tokens) {
    for (size_t i = 0; i < heads.size(); ++i) {
      taken[i] = std::min(heads[i].tokens.size(), tokens);
      tokens -= taken[i];
    }
  }

  Range front(size_t i, int64_t part) const {
    const int64_t begin = heads[i].tokens.begin;
    return {begin, begin + taken[i] * part / kWhole};
  }
  Range back(size_t i, int64_t part) const {
    const int64_t end = heads[i].tokens.end;
    return {end - (taken[i] - taken[i] * part / kWhole), end};
  }

  // The work of the taken tokens, if `part` of them are from the fronts.
  int64_t work(int64_t part) const {
    int64_t sum = 0;
    for (size_t i = 0; i < heads.size(); ++i) {
      sum += work_of(heads[i], front(i, part)) + work_of(heads[i], back(i, part));
    }
    return sum;
  }

  // The part with about `aim` work: the more from the fronts, the less work.
  int64_t part_for(int64_t aim, int64_t tolerance) const {
    if (work(0) <= aim) return 0;
    int64_t least = 0, most = kWhole;
    while (most - least > 1) {
      const int64_t middle = (least + most) / 2;
      const int64_t found = work(middle);
      if (std::abs(found - aim) <= tolerance) return middle;
      (found > aim ? least : most) = middle;
    }
    return most;
  }

  void take(int64_t part, int32_t rank, Shards& shards) {
    for (size_t i = 0; i < heads.size(); ++i) {
      Head& head = heads[i];
      const Range first = front(i, part), last = back(i, part);
      for (const Range& tokens : {first, last}) {
        if (tokens.size() == 0) continue;
        shards.push_back({head.document, tokens.begin, tokens.end, rank});
      }
      head.tokens = {first.end, last.begin};
    }
  }
};

}  // namespace

bool deal(const std::vector<int64_t>& documents, const Visibility& sees, std::vector<Head>& heads,
          std::vector<int64_t>& room, std::vector<int64_t>& work, int64_t work_limit,
          Dealing dealing, Shards& shards) {
  if (heads.empty()) return true;
  Dealer dealer{documents, sees, heads, std::vector<int64_t>(heads.size())};
  int64_t tokens = 0, work_left = 0;
  for (const Head& head : heads) {
    tokens += head.tokens.size();
    work_left += dealer.work_of(head, head.tokens);
  }

  // 1. Ranks that need tokens of unusually much or little work come first, while both ends of the
  // heads are there.
  const int64_t work_per_token = work_left / tokens;
  int64_t ranks_left = 0;
  for (size_t rank = 0; rank < room.size(); ++rank) {
    if (room[rank] == 0) continue;
    work_left += work[rank];
    ++ranks_left;
  }
  const int64_t even = work_left / ranks_left;
  const std::vector<int32_t> order = largest_first(room.size(), [&](int32_t rank) {
    return room[rank] == 0 ? -1 : std::abs(even - work[rank] - work_per_token * room[rank]);
  });

  // 2. Each rank aims for the mean of the ranks that are left, and the last takes what remains.
  for (const int32_t rank : order) {
    if (room[rank] == 0) continue;
    int64_t part = kWhole;
    if (dealing == Dealing::in_turn) {
      dealer.take_in_turn(room[rank]);
    } else {
      dealer.share(room[rank], tokens);
      const int64_t aim = work_left / ranks_left - work[rank];
      part = ranks_left == 1 ? 0 : dealer.part_for(aim, work_limit / kTolerance);
    }
    work[rank] += dealer.work(part);
    if (work[rank] > work_limit) return false;
    dealer.take(part, rank, shards);
    work_left -= work[rank];
    tokens -= room[rank];
    room[rank] = 0;
    --ranks_left;
  }
  return true;
}

}  // namespace cpbench::flashcp
