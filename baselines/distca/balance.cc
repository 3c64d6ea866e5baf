#include "baselines/distca/balance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <ranges>
#include <set>

namespace cpbench::distca {
namespace {

// Of so many receivers the one with the cheapest move is next. With more of them fewer bytes move,
// but planning takes as many times longer.
constexpr int kReceivers = 4;

// A part of an item, from its innermost queries outwards, and what moving it costs.
struct Offer {
  int32_t item = -1;
  int32_t to = -1;
  int64_t pairs = 0;  // of innermost queries of head and tail; all of them are the whole item
  int64_t work = 0;
  double bytes_per_pair = std::numeric_limits<double>::infinity();
};

class Balancer {
 public:
  Balancer(std::vector<Item> items, const MaskIndex& mask, int32_t ranks, double tolerance,
           MoveBytes bytes)
      : items_(std::move(items)), mask_(mask), bytes_(bytes), load_(ranks, 0) {
    for (const Item& item : items_) {
      work_.push_back(work_of(item, mask_));
      load_[item.server] += work_.back();
    }
    total_ = std::accumulate(load_.begin(), load_.end(), int64_t{0});
    mean_ = static_cast<double>(total_) / ranks;
    slack_ = tolerance * mean_;
    by_price_.resize(ranks);
    for (size_t i = 0; i < items_.size(); ++i) {
      in_block_[items_[i].block.begin].push_back(static_cast<int32_t>(i));
      insert(static_cast<int32_t>(i));
    }
  }

  Balanced run() {
    fill_the_needy();
    relieve_the_loaded();
    improve();
    bool within = true;
    for (int64_t load : load_) within &= std::abs(static_cast<double>(load) - mean_) <= slack_;
    return {std::move(items_), std::move(load_), within};
  }

 private:
  double surplus(int32_t rank) const { return static_cast<double>(load_[rank]) - mean_; }

  // Of the receivers that lacked most, and still lack work, the one with the cheapest move is next.
  void fill_the_needy() {
    std::vector<int32_t> needy, donors;
    for (int32_t r = 0; r < std::ssize(load_); ++r) {
      if (-surplus(r) > slack_) needy.push_back(r);
    }
    std::ranges::stable_sort(needy, {}, [&](int32_t r) { return load_[r]; });
    while (!needy.empty()) {
      donors.clear();
      for (int32_t r = 0; r < std::ssize(load_); ++r) {
        if (surplus(r) > 0) donors.push_back(r);
      }
      Offer best;
      for (int32_t to : std::views::take(needy, kReceivers)) consider_all(to, donors, best);
      if (best.item >= 0) {
        apply(best);
        std::erase_if(needy, [&](int32_t r) { return -surplus(r) <= slack_; });
      } else {  // nothing fits these receivers
        needy.erase(needy.begin(), needy.begin() + std::min<size_t>(kReceivers, needy.size()));
      }
    }
  }

  // If a rank is above the tolerance, some rank is below the mean. Of the ranks that have no keys
  // of what it serves, the one with the least work is as cheap as any.
  void relieve_the_loaded() {
    while (true) {
      const auto most = std::max_element(load_.begin(), load_.end());
      const auto from = static_cast<int32_t>(most - load_.begin());
      if (surplus(from) <= slack_) return;
      const auto least = std::min_element(load_.begin(), load_.end());
      std::set<int32_t> receivers = {static_cast<int32_t>(least - load_.begin())};
      std::set<int64_t> blocks;
      for (auto [price, item] : by_price_[from]) {
        if (blocks.insert(items_[item].block.begin).second) {
          receivers.merge(ranks_of(items_[item].block, 0));
        }
      }
      Offer best;
      for (int32_t to : receivers) {
        const auto present = keys_at(to, [&](int64_t block) { return blocks.contains(block); });
        for (auto [price, item] : by_price_[from]) consider(item, to, present, best);
      }
      if (best.item < 0) return;
      apply(best);
    }
  }

  // The ranks that own or serve queries of the block and have at most this surplus.
  std::set<int32_t> ranks_of(Range block, double most) const {
    std::set<int32_t> ranks;
    for (int32_t i : in_block_.at(block.begin)) {
      for (int32_t rank : {items_[i].home, items_[i].server}) {
        if (surplus(rank) <= most) ranks.insert(rank);
      }
    }
    return ranks;
  }

  // Moves each item that is away from home to where it takes the fewest bytes, if both ranks stay
  // within the tolerance.
  void improve() {
    for (int32_t i = 0; i < static_cast<int32_t>(items_.size()); ++i) {
      const Item item = items_[i];
      const int32_t from = item.server;
      if (from == item.home || static_cast<double>(work_[i]) - surplus(from) > slack_) continue;
      int32_t best = from;
      int64_t least = bytes_at(i, from);
      for (int32_t to : ranks_of(item.block, slack_ - static_cast<double>(work_[i]))) {
        if (to == from) continue;
        const int64_t bytes = bytes_at(i, to);
        if (bytes >= least) continue;
        best = to;
        least = bytes;
      }
      if (best == from) continue;
      apply({.item = i, .to = best, .work = work_[i]});
    }
  }

  // What the rank sends and receives for the item, if it serves it, besides for its other items.
  int64_t bytes_at(int32_t index, int32_t rank) const {
    const Item& item = items_[index];
    Ranges keys = keys_of(item);
    for (int32_t i : touching_[rank]) {
      const Item& other = items_[i];
      if (other.block != item.block) continue;
      if (other.home == rank) keys = subtract(keys, other.query_ranges());
      if (other.server == rank && i != index) keys = subtract(keys, keys_of(other));
    }
    return (rank == item.home ? 0 : item.queries() * bytes_.per_query) +
           size_of(keys) * bytes_.per_key;
  }

  // Makes the cheapest move from a donor to `to` the best offer, if it is cheaper.
  void consider_all(int32_t to, const std::vector<int32_t>& donors, Offer& best) {
    const std::map<int64_t, Ranges> present = keys_at(to, [](int64_t) { return true; });
    for (int32_t from : donors) {
      for (auto [price, item] : by_price_[from]) {
        if (price >= best.bytes_per_pair) break;
        consider(item, to, present, best);
      }
    }
    // If the receiver already has some keys of a document, an item costs less than its price.
    for (const auto& [block, keys] : present) {
      for (int32_t item : in_block_[block]) {
        const int32_t from = items_[item].server;
        if (!std::binary_search(donors.begin(), donors.end(), from)) continue;
        consider(item, to, present, best);
      }
    }
  }

  // The keys of each document, by its first token, that `rank` owns or receives for what it serves;
  // only of documents for which `asked` holds.
  template <typename Asked>
  std::map<int64_t, Ranges> keys_at(int32_t rank, const Asked& asked) const {
    std::map<int64_t, Ranges> present;
    for (int32_t i : touching_[rank]) {
      const Item& item = items_[i];
      if (!asked(item.block.begin)) continue;
      Ranges& keys = present[item.block.begin];
      if (item.home == rank) keys = unite(keys, item.query_ranges());
      if (item.server == rank) keys = unite(keys, keys_of(item));
    }
    return present;
  }

  Ranges keys_of(const Item& item) const { return mask_.keys_seen(item.query_ranges()); }

  // Makes this item the best offer, with as many queries as neither rank passes the mean with, if
  // it is cheaper.
  void consider(int32_t index, int32_t to, const std::map<int64_t, Ranges>& present, Offer& best) {
    const Item& item = items_[index];
    const auto room =
        static_cast<int64_t>(std::floor(std::min(-surplus(to), surplus(item.server))));
    if (room <= 0 || work_[index] == 0 || item.server == to) return;
    const int64_t all = std::max(item.head.size(), item.tail.size());
    int64_t pairs = all;
    Item part = item;
    int64_t work = work_[index];
    if (work > room) {
      pairs = most_pairs(item, all, room);
      if (pairs == 0) return;
      Item rest = item;
      part = split_inner(rest, pairs);
      work = work_of(part, mask_);
    }
    Ranges keys = keys_of(part);
    const auto there = present.find(item.block.begin);
    if (there != present.end()) keys = subtract(keys, there->second);
    const double price =
        static_cast<double>(part.queries() * bytes_.per_query + size_of(keys) * bytes_.per_key) /
        static_cast<double>(work);
    if (price < best.bytes_per_pair) best = {index, to, pairs, work, price};
  }

  // The largest number of innermost query pairs with at most `room` of work. Mirrored query pairs
  // have equal work under causal masks, so the first guess is almost right, and the search runs
  // outwards from it.
  int64_t most_pairs(const Item& item, int64_t all, int64_t room) const {
    auto fits = [&](int64_t pairs) {
      Item rest = item;
      return work_of(split_inner(rest, pairs), mask_) <= room;
    };
    const double share = static_cast<double>(room) / static_cast<double>(work_of(item, mask_));
    const int64_t guess =
        std::clamp<int64_t>(static_cast<int64_t>(share * static_cast<double>(all)), 0, all);
    int64_t low = guess, high = guess, stride = 1;  // low fits, high does not
    if (fits(guess)) {
      while (high < all && fits(high)) {
        low = high;
        high = std::min(all, high + stride);
        stride *= 2;
      }
      if (high == all && fits(all)) return all;
    } else {
      while (low > 0 && !fits(low)) {
        high = low;
        low = std::max<int64_t>(0, low - stride);
        stride *= 2;
      }
    }
    while (low + 1 < high) {
      const int64_t middle = (low + high) / 2;
      (fits(middle) ? low : high) = middle;
    }
    return low;
  }

  void apply(const Offer& offer) {
    const int32_t from = items_[offer.item].server;
    erase(offer.item);
    int32_t moved = offer.item;
    if (offer.work < work_[offer.item]) {
      moved = static_cast<int32_t>(items_.size());
      items_.push_back(split_inner(items_[offer.item], offer.pairs));
      work_.push_back(offer.work);
      work_[offer.item] -= offer.work;
      in_block_[items_[moved].block.begin].push_back(moved);
      insert(offer.item);
    }
    items_[moved].server = offer.to;
    insert(moved);
    load_[from] -= offer.work;
    load_[offer.to] += offer.work;
  }

  // The bytes per (query, key) pair of moving the whole item to a rank that has none of its keys. A
  // part costs more, because fewer queries share the keys.
  double price_of(int32_t index) const {
    const Item& item = items_[index];
    if (work_[index] == 0) return std::numeric_limits<double>::infinity();
    return static_cast<double>(item.queries() * bytes_.per_query +
                               size_of(keys_of(item)) * bytes_.per_key) /
           static_cast<double>(work_[index]);
  }

  void insert(int32_t index) {
    const Item& item = items_[index];
    prices_.resize(items_.size());
    prices_[index] = price_of(index);
    by_price_[item.server].insert({prices_[index], index});
    touching_.resize(load_.size());
    touching_[item.server].insert(index);
    touching_[item.home].insert(index);
  }

  void erase(int32_t index) {
    const Item& item = items_[index];
    by_price_[item.server].erase({prices_[index], index});
  }

  std::vector<Item> items_;
  const MaskIndex& mask_;
  MoveBytes bytes_;
  std::vector<int64_t> work_;  // per item, in (query, key) pairs
  std::vector<int64_t> load_;  // (query, key) pairs per rank
  int64_t total_ = 0;
  double mean_ = 0;
  double slack_ = 0;
  std::vector<double> prices_;                                  // per item
  std::vector<std::set<std::pair<double, int32_t>>> by_price_;  // items that each rank serves
  std::vector<std::set<int32_t>> touching_;                     // items each rank owns or serves
  std::map<int64_t, std::vector<int32_t>> in_block_;
};

}  // namespace

Balanced balance(std::vector<Item> items, const MaskIndex& mask, int32_t ranks, double tolerance,
                 MoveBytes bytes) {
  return Balancer(std::move(items), mask, ranks, tolerance, bytes).run();
}

}  // namespace cpbench::distca
