#include "methods/fcp/agenda.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace cpbench::fcp {
namespace {

// While the first stage travels, a rank does about this fraction of the work of a later step. The
// transfers of a stage take roughly that fraction of the time of its attention, and more work would
// require more of the tokens to be on the rank at once.
constexpr double kFirstStep = 0.25;

// The transfers of each job: those of job j are transfers[first[j]] to transfers[first[j + 1] - 1].
struct ByJob {
  std::vector<int32_t> first;
  std::vector<int32_t> transfers;
  int32_t count(size_t job) const { return first[job + 1] - first[job]; }
};

ByJob by_job(const Needs& needs) {
  ByJob by{std::vector<int32_t>(needs.jobs.size() + 1, 0),
           std::vector<int32_t>(needs.transfers.size())};
  for (const Transfer& t : needs.transfers) ++by.first[t.job + 1];
  std::partial_sum(by.first.begin(), by.first.end(), by.first.begin());
  std::vector<int32_t> next(by.first.begin(), by.first.end() - 1);
  for (size_t i = 0; i < needs.transfers.size(); ++i) {
    by.transfers[next[needs.transfers[i].job]++] = static_cast<int32_t>(i);
  }
  return by;
}

// The (query, key) pairs of each job that need no transfer.
std::vector<int64_t> local_pairs(const Needs& needs) {
  std::vector<int64_t> pairs;
  for (const Job& job : needs.jobs) pairs.push_back(job.pairs);
  for (const Transfer& t : needs.transfers) pairs[t.job] -= t.pairs;
  for (int64_t& c : pairs) c = std::max<int64_t>(c, 0);
  return pairs;
}

// What Pace needs to know about one job of a rank.
struct Item {
  int32_t job = 0;
  int64_t pairs = 0;        // that need no transfer
  int32_t first_stage = 0;  // that brings something for it; the number of stages if none does
  int32_t last_stage = -1;  // that brings something for it; -1 if none does
};

// Chooses the steps of one rank's local attention. `arrived` has the pairs that arrive for each
// step.
class Pace {
 public:
  Pace(std::vector<Item> items, std::span<const int64_t> arrived, std::vector<int32_t>& step_of)
      : items_(std::move(items)),
        arrived_(arrived),
        stages_(static_cast<int32_t>(arrived.size()) - 1),
        step_of_(step_of),
        taken_(items_.size(), false) {
    all_ = std::accumulate(arrived.begin(), arrived.end(), int64_t{0});
    for (const Item& item : items_) all_ += item.pairs;
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& a, const Item& b) { return a.first_stage < b.first_stage; });
  }

  void run() {
    for (step_ = 0; step_ < stages_; ++step_) {
      done_ += arrived_[step_];
      // All that the job waits for has been attended, so this completes its output.
      take_if([&](const Item& item) { return item.last_stage >= 0 && item.last_stage < step_; });
      // Together with what arrived for it, this makes one output, which needs no merge.
      take_if([&](const Item& item) { return item.first_stage < step_ && in_pace(item); });
      take_if([&](const Item& item) { return item.first_stage == stages_ && in_pace(item); });
      take_if([&](const Item& item) { return in_pace(item); });
    }
    take_if([](const Item&) { return true; });
  }

 private:
  bool in_pace(const Item& item) const {
    return static_cast<double>(done_) + static_cast<double>(item.pairs) / 2 <=
           static_cast<double>(all_) * (step_ + kFirstStep) / (stages_ + kFirstStep);
  }

  template <typename Wanted>
  void take_if(Wanted wanted) {
    for (size_t i = 0; i < items_.size(); ++i) {
      if (taken_[i] || !wanted(items_[i])) continue;
      taken_[i] = true;
      step_of_[items_[i].job] = step_;
      done_ += items_[i].pairs;
    }
  }

  std::vector<Item> items_;
  std::span<const int64_t> arrived_;
  int32_t stages_;
  std::vector<int32_t>& step_of_;
  std::vector<bool> taken_;
  int32_t step_ = 0;
  int64_t done_ = 0, all_ = 0;  // in pairs
};

}  // namespace

std::vector<double> turns(const Needs& needs, const RangeSets& sets, int32_t ranks) {
  ByJob by = by_job(needs);
  const std::vector<int64_t> local = local_pairs(needs);
  std::vector<int64_t> all(ranks, 0), done(ranks, 0);
  std::vector<int32_t> order;  // jobs with transfers, the most transfers first
  for (size_t j = 0; j < needs.jobs.size(); ++j) {
    if (by.count(j) == 0) continue;
    all[needs.jobs[j].rank] += needs.jobs[j].pairs;
    order.push_back(static_cast<int32_t>(j));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return by.count(a) > by.count(b); });
  const auto begin = [&](SetId tokens) { return sets[tokens].front().begin; };
  std::vector<double> turns(needs.transfers.size());
  for (int32_t j : order) {
    const Job& job = needs.jobs[j];
    const int64_t before = done[job.rank];
    done[job.rank] += local[j];
    // Transfers start from the job's own place in the sequence and wrap around, so that different
    // receivers start with different senders.
    const std::span own(by.transfers.data() + by.first[j], by.count(j));
    std::rotate(own.begin(),
                std::partition_point(own.begin(), own.end(),
                                     [&](int32_t t) {
                                       return begin(needs.transfers[t].tokens) < begin(job.tokens);
                                     }),
                own.end());
    for (int32_t t : own) {
      // A transfer may bring fewer pairs than it states, so the sum of its job's transfers can
      // exceed the total.
      const int64_t before_it = std::min(done[job.rank], all[job.rank]);
      turns[t] = static_cast<double>(before_it) / static_cast<double>(all[job.rank] + 1);
      done[job.rank] += needs.transfers[t].pairs;
    }
    done[job.rank] = before + job.pairs;
  }
  return turns;
}

std::vector<int32_t> local_steps(const Needs& needs, const std::vector<int32_t>& stage_of,
                                 int32_t stages, int32_t ranks) {
  const std::vector<int64_t> local = local_pairs(needs);
  std::vector<Item> items;
  for (size_t j = 0; j < needs.jobs.size(); ++j) {
    items.push_back({static_cast<int32_t>(j), local[j], stages, -1});
  }
  const size_t width = static_cast<size_t>(stages) + 1;
  std::vector<int64_t> arrived(width * ranks, 0);  // pairs, by (rank, step)
  for (size_t i = 0; i < needs.transfers.size(); ++i) {
    const Transfer& t = needs.transfers[i];
    Item& item = items[t.job];
    item.first_stage = std::min(item.first_stage, stage_of[i]);
    item.last_stage = std::max(item.last_stage, stage_of[i]);
    arrived[t.to * width + stage_of[i] + 1] += t.pairs;
  }
  std::vector<std::vector<Item>> own(ranks);
  for (const Item& item : items) own[needs.jobs[item.job].rank].push_back(item);
  std::vector<int32_t> steps(items.size());
  for (int32_t rank = 0; rank < ranks; ++rank) {
    Pace(std::move(own[rank]), {arrived.data() + rank * width, width}, steps).run();
  }
  return steps;
}

}  // namespace cpbench::fcp
