#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

#include "harness/plan/nearest.h"
#include "workloads/length_sets.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

using Packs = std::vector<Batch>;

// Fills packs one after another. The rest of a document that is cut is dropped, or begins the next
// pack if `carry`.
Packs fill(LengthStream& stream, const PackingOptions& options, bool carry) {
  Packs packs(options.packs);
  int64_t remainder = 0;
  for (Batch& pack : packs) {
    for (int64_t room = options.tokens; room > 0;) {
      int64_t length = remainder > 0 ? remainder : stream.next();
      int64_t taken = std::min(length, room);
      pack.document_lengths.push_back(taken);
      room -= taken;
      remainder = carry ? length - taken : 0;
      if (remainder == 0 && stream.ends_pack()) break;
    }
  }
  return packs;
}

Packs truncate(LengthStream& stream, const PackingOptions& options) {
  return fill(stream, options, false);
}

Packs carry(LengthStream& stream, const PackingOptions& options) {
  return fill(stream, options, true);
}

// How many packs are filled together: enough to choose from. The number is fixed, so that a larger
// number of packs never changes the first ones.
constexpr int kWindowPacks = 8;

// One window of best-fit decreasing. Documents longer than a pack are first cut into whole packs
// and a rest. Then, longest first, each piece goes into the pack where it leaves the least room.
// Pieces that fit nowhere fill the gaps, cut to size, and the rest of them stays in `waiting` for
// the next window.
Packs best_fit_window(LengthStream& stream, int64_t tokens, std::deque<int64_t>& waiting) {
  std::vector<int64_t> pieces;
  int64_t gathered = 0;
  while (gathered < kWindowPacks * tokens) {
    int64_t length = 0;
    if (waiting.empty()) {
      length = stream.next();
    } else {
      length = waiting.front();
      waiting.pop_front();
    }
    gathered += length;
    for (; length > tokens; length -= tokens) pieces.push_back(tokens);
    pieces.push_back(length);
  }
  std::stable_sort(pieces.begin(), pieces.end(), std::greater<>());

  Packs packs(kWindowPacks);
  std::multimap<int64_t, int> packs_by_room;
  for (int i = 0; i < kWindowPacks; ++i) packs_by_room.emplace(tokens, i);
  for (int64_t length : pieces) {
    auto best = packs_by_room.lower_bound(length);
    if (best == packs_by_room.end()) {
      waiting.push_back(length);
      continue;
    }
    auto [room, index] = *best;
    packs_by_room.erase(best);
    packs[index].document_lengths.push_back(length);
    packs_by_room.emplace(room - length, index);
  }
  // At least kWindowPacks * tokens were drawn, so the waiting pieces suffice for the gaps.
  for (const auto& [gap, index] : packs_by_room) {
    for (int64_t room = gap; room > 0;) {
      int64_t taken = std::min(waiting.front(), room);
      packs[index].document_lengths.push_back(taken);
      room -= taken;
      waiting.front() -= taken;
      if (waiting.front() == 0) waiting.pop_front();
    }
  }
  return packs;
}

Packs best_fit(LengthStream& stream, const PackingOptions& options) {
  Packs packs;
  std::deque<int64_t> waiting;
  while (packs.size() < static_cast<size_t>(options.packs)) {
    Packs window = best_fit_window(stream, options.tokens, waiting);
    packs.insert(packs.end(), window.begin(), window.end());
  }
  packs.resize(options.packs);
  return packs;
}

}  // namespace

const std::vector<PackingPolicy>& packing_policies() {
  static const std::vector<PackingPolicy> policies = {
      {"truncate",
       "documents in their order; the last is cut at the end of the pack, and its rest is dropped",
       truncate},
      {"carry",
       "documents in their order; the rest of a cut document begins the next pack as a new one",
       carry},
      {"best_fit",
       "windows of 8 packs, longest documents first, each where it leaves the least room; gaps are "
       "filled with documents cut to fit, and nothing is dropped",
       best_fit},
  };
  return policies;
}

std::vector<Batch> make_packs(const Workload& workload, const PackingOptions& options) {
  if (options.tokens < 1 || options.tokens > kLongestDocument) {
    throw UserError(fmt::format("a pack has {} tokens; must be from 1 to {}", options.tokens,
                                kLongestDocument));
  }
  if (options.packs < 1) {
    throw UserError(fmt::format("there are {} packs; must be at least 1", options.packs));
  }
  if (const Batch* pack = workload.pack()) return Packs(options.packs, *pack);
  std::vector<std::string> known;
  for (const PackingPolicy& policy : packing_policies()) {
    known.push_back(policy.name);
    if (policy.name != options.policy) continue;
    std::unique_ptr<LengthStream> stream = workload.stream(options.seed);
    if (workload.cap > 0) {
      const double longest = workload.cap * static_cast<double>(options.tokens);
      stream = cut_at(std::move(stream), std::max(int64_t{1}, static_cast<int64_t>(longest)));
    }
    return policy.pack(*stream, options);
  }
  throw UserError(unknown_name("packing policy", options.policy, known));
}

}  // namespace cpbench
