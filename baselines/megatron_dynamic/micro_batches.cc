#include "baselines/megatron_dynamic/micro_batches.h"

#include <algorithm>
#include <numeric>

#include "harness/strategy/order.h"

namespace cpbench::megatron_dynamic {
namespace {

// Upstream's constant: how much work a rank may get beyond that of the micro-batch's longest
// sequence on its fewest ranks.
constexpr double kWorkSlack = 0.05;

// Sequences that run one after another on the same ranks.
struct Pack {
  int32_t size = 0;  // ranks
  std::vector<int32_t> sequences;
  double local_tokens = 0;  // per rank
  double work = 0;          // per rank, in squared tokens
};

class MicroBatch {
 public:
  MicroBatch(const std::vector<int64_t>& lengths, const Limits& limits)
      : lengths_(lengths), limits_(limits) {}

  // Takes what it can of `rest`, which is sorted, longest first.
  void fill(std::vector<int32_t>& rest) {
    const auto tallest = static_cast<double>(lengths_[rest.front()]);
    most_work_ = tallest * static_cast<double>(limits_.per_rank) * (1 + kWorkSlack);
    open(rest.front(), fewest(rest.front()));
    std::vector<int32_t> left;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (!place(rest[i])) left.push_back(rest[i]);
    }
    while (used_ < limits_.ranks) {
      if (widen()) continue;
      left = take_all_ranks(rest);
      break;
    }
    rest = std::move(left);
  }

  std::vector<Group> groups() const {
    std::vector<Group> out;
    int32_t first = 0;
    for (const Pack& pack : packs_) {
      std::vector<int32_t> ranks(pack.size);
      std::iota(ranks.begin(), ranks.end(), first);
      first += pack.size;
      out.push_back({std::move(ranks), pack.sequences});
    }
    return out;
  }

 private:
  int32_t fewest(int32_t sequence) const {
    return static_cast<int32_t>(fewest_ranks(lengths_[sequence], limits_));
  }
  // The next larger size of a group.
  int32_t after(int32_t size) const { return limits_.any_size ? size + 1 : 2 * size; }
  double local(int32_t sequence, int32_t size) const {
    return static_cast<double>(lengths_[sequence]) / size;
  }
  double work(int32_t sequence, int32_t size) const {
    return static_cast<double>(lengths_[sequence] * lengths_[sequence]) / size;
  }

  void add(Pack& pack, int32_t sequence) {
    pack.sequences.push_back(sequence);
    pack.local_tokens += local(sequence, pack.size);
    pack.work += work(sequence, pack.size);
    busiest_ = std::max(busiest_, pack.work);
  }
  void open(int32_t sequence, int32_t size) {
    used_ += size;
    packs_.push_back({.size = size});
    add(packs_.back(), sequence);
  }

  // To a pack, or to free ranks, of the size that leaves the busiest rank with the least work; the
  // smallest size and the first pack among equals. False if none has room.
  bool place(int32_t sequence) {
    double best = 0;
    int32_t best_size = 0;
    Pack* best_pack = nullptr;
    const auto consider = [&](double rank_work, int32_t size, Pack* pack) {
      const double busiest = std::max(busiest_, rank_work);
      if (busiest > most_work_ || (best_size > 0 && busiest >= best)) return;
      best = busiest;
      best_size = size;
      best_pack = pack;
    };
    for (int32_t size = fewest(sequence); size <= limits_.ranks; size = after(size)) {
      for (Pack& pack : packs_) {
        if (pack.size != size) continue;
        if (pack.local_tokens + local(sequence, size) > static_cast<double>(limits_.per_rank)) {
          continue;
        }
        consider(pack.work + work(sequence, size), size, &pack);
      }
      if (limits_.ranks - used_ >= size) consider(work(sequence, size), size, nullptr);
      if (best_size > 0 && best == busiest_) break;  // no size does better
    }
    if (best_size == 0) return false;
    if (best_pack != nullptr) {
      add(*best_pack, sequence);
    } else {
      open(sequence, best_size);
    }
    return true;
  }

  // Gives the first of the smallest packs the next size. False if there are too few ranks for it.
  bool widen() {
    const auto smallest = std::min_element(
        packs_.begin(), packs_.end(), [](const Pack& a, const Pack& b) { return a.size < b.size; });
    const int32_t more = std::min(after(smallest->size), limits_.ranks) - smallest->size;
    if (more > limits_.ranks - used_) return false;
    smallest->size += more;
    used_ += more;
    return true;
  }

  // As many sequences as all ranks hold together, in one pack. Returns the others.
  std::vector<int32_t> take_all_ranks(const std::vector<int32_t>& rest) {
    packs_ = {{.size = limits_.ranks}};
    std::vector<int32_t> left;
    for (const int32_t sequence : rest) {
      const double with = packs_.front().local_tokens + local(sequence, limits_.ranks);
      if (with > static_cast<double>(limits_.per_rank)) {
        left.push_back(sequence);
      } else {
        add(packs_.front(), sequence);
      }
    }
    return left;
  }

  const std::vector<int64_t>& lengths_;
  Limits limits_;
  double most_work_ = 0;
  double busiest_ = 0;  // the work of the busiest rank
  int32_t used_ = 0;    // ranks that have a pack: the first ones
  std::vector<Pack> packs_;
};

}  // namespace

int64_t fewest_ranks(int64_t tokens, const Limits& limits) {
  const int64_t fewest = (tokens + limits.per_rank - 1) / limits.per_rank;
  if (limits.any_size) return fewest;
  int64_t power = 1;
  while (power < fewest) power *= 2;
  return power;
}

std::vector<std::vector<Group>> micro_batches(const std::vector<int64_t>& lengths,
                                              const Limits& limits) {
  std::vector<int32_t> rest = largest_first(lengths.size(), [&](int32_t i) { return lengths[i]; });
  std::vector<std::vector<Group>> out;
  while (!rest.empty()) {
    MicroBatch batch(lengths, limits);
    batch.fill(rest);
    out.push_back(batch.groups());
  }
  return out;
}

}  // namespace cpbench::megatron_dynamic
