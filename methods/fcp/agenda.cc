#include "methods/fcp/agenda.h"

#include <algorithm>
#include <numeric>

namespace cpbench::fcp {
namespace {

// Transfers of each job: those of job j are transfers[first[j]] to transfers[first[j + 1] - 1].
struct ByJob {
  std::vector<int32_t> first;
  std::vector<int32_t> transfers;
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

// Cells of each job's queries that need no transfer.
std::vector<int64_t> local_cells(const Needs& needs) {
  std::vector<int64_t> cells;
  for (const Job& job : needs.jobs) cells.push_back(job.cells);
  for (const Transfer& t : needs.transfers) cells[t.job] -= t.cells;
  for (int64_t& c : cells) c = std::max<int64_t>(c, 0);
  return cells;
}

// What a rank does before the first stage has arrived, of what it does in a later step.
constexpr double kFirst = 0.25;

}  // namespace

std::vector<double> turns(const Needs& needs, const RangeSets& sets, int32_t ranks) {
  ByJob by = by_job(needs);
  const std::vector<int64_t> local = local_cells(needs);
  std::vector<int64_t> all(ranks, 0), done(ranks, 0);
  for (size_t j = 0; j < needs.jobs.size(); ++j) {
    if (by.first[j] < by.first[j + 1]) all[needs.jobs[j].rank] += needs.jobs[j].cells;
  }
  std::vector<double> turns(needs.transfers.size());
  std::vector<size_t> order(needs.jobs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return by.first[a + 1] - by.first[a] > by.first[b + 1] - by.first[b]; });
  for (size_t j : order) {
    if (by.first[j] == by.first[j + 1]) continue;
    const int32_t rank = needs.jobs[j].rank;
    const int64_t before = done[rank];
    done[rank] += local[j];
    const auto first = by.transfers.begin() + by.first[j], last = by.transfers.begin() + by.first[j + 1];
    const int64_t own = sets[needs.jobs[j].tokens].front().begin;
    std::rotate(first, std::partition_point(first, last, [&](int32_t t) { return sets[needs.transfers[t].tokens].front().begin < own; }), last);
    for (auto t = first; t != last; ++t) {
      turns[*t] = static_cast<double>(done[rank]) / static_cast<double>(all[rank] + 1);
      done[rank] += needs.transfers[*t].cells;
    }
    done[rank] = before + needs.jobs[j].cells;
  }
  return turns;
}

std::vector<int32_t> local_steps(const Needs& needs, const std::vector<int32_t>& stage_of,
                                 int32_t stages, int32_t ranks) {
  const size_t jobs = needs.jobs.size();
  const std::vector<int64_t> local = local_cells(needs);
  std::vector<int32_t> first_stage(jobs, stages);  // `stages`: needs no transfer
  std::vector<int32_t> last_stage(jobs, -1);
  const size_t width = static_cast<size_t>(stages) + 1;
  std::vector<int64_t> arrived(width * ranks, 0);  // cells, of (rank, step)
  std::vector<int64_t> all(ranks, 0);
  for (size_t i = 0; i < needs.transfers.size(); ++i) {
    const Transfer& t = needs.transfers[i];
    last_stage[t.job] = std::max(last_stage[t.job], stage_of[i]);
    first_stage[t.job] = std::min(first_stage[t.job], stage_of[i]);
    arrived[t.to * width + stage_of[i] + 1] += t.cells;
    all[t.to] += t.cells;
  }
  std::vector<std::vector<int32_t>> own(ranks);
  for (size_t j = 0; j < jobs; ++j) {
    own[needs.jobs[j].rank].push_back(static_cast<int32_t>(j));
    all[needs.jobs[j].rank] += local[j];
  }
  std::vector<int32_t> steps(jobs, -1);
  for (int32_t rank = 0; rank < ranks; ++rank) {
    // By their turn; those without transfers in the order that they have.
    std::stable_sort(own[rank].begin(), own[rank].end(), [&](int32_t a, int32_t b) {
      return first_stage[a] < first_stage[b];
    });
    const auto free = std::partition_point(own[rank].begin(), own[rank].end(),
                                           [&](int32_t j) { return first_stage[j] < stages; });
    auto turn = own[rank].begin(), filler = free;
    int64_t done = 0;
    for (int32_t step = 0; step <= stages; ++step) {
      done += arrived[rank * width + step];
      const double pace = static_cast<double>(all[rank]) * (step + kFirst) / (stages + kFirst);
      const auto fits = [&](int32_t job) {
        return step == stages ||
               static_cast<double>(done) + static_cast<double>(local[job]) / 2 <= pace;
      };
      const auto take = [&](int32_t job) {
        steps[job] = step;
        done += local[job];
      };
      for (auto t = turn; t != free; ++t) {
        if (steps[*t] < 0 && last_stage[*t] + 1 <= step) take(*t);
      }
      // With what arrived for the job first, so that its outputs need no merge.
      const auto next = [&] {
        while (turn != free && steps[*turn] >= 0) ++turn;
        return turn != free;
      };
      while (next() && first_stage[*turn] < step && fits(*turn)) take(*turn++);
      while (filler != own[rank].end() && fits(*filler)) take(*filler++);
      while (next() && fits(*turn)) take(*turn++);
    }
  }
  return steps;
}

}  // namespace cpbench::fcp
