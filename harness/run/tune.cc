#include "harness/run/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/run/candidates.h"
#include "harness/run/gpu_jobs.h"
#include "harness/run/halving.h"
#include "harness/run/job.h"
#include "harness/run/resolve.h"
#include "harness/store/atomic_file.h"
#include "harness/store/result_file.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

using Options = std::map<std::string, std::string>;

struct Contest {                    // one strategy on one problem
  std::string problem;              // one key for the contests of a problem, in all rounds
  std::string base;                 // strategy_text of what was given
  std::vector<Job> jobs;            // of the candidates that are still in, with all packs
  std::vector<Job> combinations{};  // candidates that change several options, until they are tried
  std::vector<Outcome> outcomes{};  // of the last round, one per job
  double slowdown = 0;              // in the last round
  bool is_over = false;

  std::vector<std::optional<double>> seconds() const {
    std::vector<std::optional<double>> all;
    for (const Outcome& outcome : outcomes) {
      const double* value = outcome.metric("iteration_seconds");
      all.push_back(outcome.status == Status::ok && value ? std::optional(*value) : std::nullopt);
    }
    return all;
  }
};

void require_times(const std::vector<Job>& jobs) {
  for (const Job& job : jobs) {
    if (job.backend->plans_only()) {
      throw UserError(
          "--tune: the backend plan has no times; simulate, with --backend simulate --cluster "
          "h100");
    }
    if (job.in_processes) {
      throw UserError("--tune: the backend " + job.spec.backend +
                      " is not supported; simulate, and run the options that win");
    }
  }
}

// Contests in the order of the suite's runs, each with the strategy as it was given in front.
std::vector<Contest> contests_of(const Suite& suite) {
  std::vector<Contest> contests;
  std::map<std::pair<std::string, std::string>, size_t> places;
  std::set<std::pair<size_t, std::string>> seen;  // products may name the same runs
  for (Product product : suite.products) {
    Candidates candidates = candidates_of(product);
    if (!candidates.values.empty()) product.fields["strategy"].values = candidates.values;
    const std::vector<Job> jobs = jobs_of({suite.name, suite.description, {product}});
    require_times(jobs);
    for (const Job& job : jobs) {
      const std::string problem = problem_key(job.spec);
      const std::string candidate = strategy_text(job.spec);
      std::set<std::string>& bases = candidates.bases[candidate];
      if (bases.empty()) bases = {candidate};
      for (const std::string& base : bases) {
        const auto [place, is_new] = places.emplace(std::pair(problem, base), contests.size());
        if (is_new) contests.push_back({problem, base, {}});
        if (!seen.emplace(place->second, canonical_text(job.spec)).second) continue;
        contests[place->second].jobs.push_back(job);
      }
    }
  }
  for (Contest& contest : contests) {
    std::ranges::stable_partition(
        contest.jobs, [&](const Job& job) { return strategy_text(job.spec) == contest.base; });
  }
  return contests;
}

// What a candidate changes in the strategy as it was given.
Options changes(const Options& given, const Job& job) {
  Options options = job.spec.options;
  for (const auto& [name, value] : given) options.erase(name);
  return options;
}

void set_combinations_apart(Contest& contest) {
  const Options given = contest.jobs.front().spec.options;
  const auto several = std::ranges::stable_partition(
      contest.jobs, [&](const Job& job) { return changes(given, job).size() < 2; });
  contest.combinations.assign(std::move_iterator(several.begin()),
                              std::move_iterator(several.end()));
  contest.jobs.erase(several.begin(), several.end());
}

// Back to the candidates, but for those with a change that alone is slow or not supported.
void admit_combinations(Contest& contest) {
  constexpr double kSlow = 1.5;  // times as long as the fastest candidate
  const Options given = contest.jobs.front().spec.options;
  const auto seconds = contest.seconds();
  const std::optional<double> fastest = seconds[winner(seconds)];
  std::set<std::pair<std::string, std::string>> slow;
  for (size_t i = 0; i < contest.jobs.size(); ++i) {
    const bool is_slow = seconds[i] ? *seconds[i] > kSlow * fastest.value_or(0)
                                    : contest.outcomes[i].status == Status::unsupported;
    if (is_slow)
      std::ranges::copy(changes(given, contest.jobs[i]), std::inserter(slow, slow.end()));
  }
  for (Job& job : contest.combinations) {
    const Options changed = changes(given, job);
    const auto is_slow = [&](const auto& change) { return slow.contains(change); };
    if (std::ranges::none_of(changed, is_slow)) contest.jobs.push_back(std::move(job));
  }
}

// The same runs on the first packs.
std::vector<Job> on_packs(std::vector<Job> jobs, int32_t packs) {
  std::map<const void*, std::shared_ptr<const std::vector<Batch>>> beginnings;
  for (Job& job : jobs) {
    if (job.spec.packs == packs) continue;
    auto& beginning = beginnings[job.batches.get()];
    if (!beginning) {
      beginning = std::make_shared<const std::vector<Batch>>(job.batches->begin(),
                                                             job.batches->begin() + packs);
    }
    job.batches = beginning;
    job.spec.packs = packs;
    job.spec.inputs = inputs_of(job);
  }
  prepare_for_gpus(jobs);
  return jobs;
}

// The candidates of the contests, with as many packs as the round has.
std::vector<Job> jobs_of_round(const std::vector<Contest*>& contests, size_t round) {
  std::vector<Job> jobs;
  for (const Contest* contest : contests) {
    const std::vector<int32_t> rounds = rounds_of(contest->jobs.front().spec.packs);
    for (Job& job : on_packs(contest->jobs, rounds[round])) jobs.push_back(std::move(job));
  }
  return jobs;
}

// Runs the candidates of the contests, and keeps the order of both.
void run_round(std::vector<Contest*>& contests, size_t round, const SweepOptions& sweep,
               Interrupt& interrupt) {
  std::vector<Outcome> outcomes = run_sweep(jobs_of_round(contests, round), sweep, interrupt);
  auto next = outcomes.begin();
  for (Contest* contest : contests) {
    const auto end = next + std::ssize(contest->jobs);
    contest->outcomes.assign(std::move_iterator(next), std::move_iterator(end));
    next = end;
  }
}

// What the combinations of the first round and the rounds after this one cost, at most.
double later_work(const std::vector<Contest*>& contests, size_t round) {
  double work = 0;
  for (const Contest* contest : contests) {
    Job job = contest->jobs.front();  // all candidates are expected to cost the same
    const size_t untried = contest->combinations.size();
    const double runs = static_cast<double>(untried) +
                        cost_after(round, contest->jobs.size() + untried, job.spec.packs);
    job.spec.packs = 1;
    work += runs * expected_work(job);
  }
  return work;
}

SweepOptions of_candidates(SweepOptions sweep) {
  sweep.folder += "-tuning";
  return sweep;
}

void compare(std::vector<Contest*>& contests) {
  const double kNone = std::numeric_limits<double>::infinity();
  std::map<std::string, double> fastest;
  const auto best_of = [kNone](const Contest& contest) {
    const auto seconds = contest.seconds();
    return seconds[winner(seconds)].value_or(kNone);
  };
  for (const Contest* contest : contests) {
    double& best = fastest.emplace(contest->problem, kNone).first->second;
    best = std::min(best, best_of(*contest));
  }
  for (Contest* contest : contests) {
    const double own = best_of(*contest);
    contest->slowdown = own < kNone ? own / fastest[contest->problem] : 0;
  }
}

bool is_behind(const Contest& contest, const TuneOptions& options) {
  return options.left_behind > 0 && contest.slowdown > options.left_behind;
}

void keep_survivors(Contest& contest) {
  std::vector<Job> jobs;
  for (const size_t i : survivors(contest.seconds())) jobs.push_back(std::move(contest.jobs[i]));
  contest.jobs = std::move(jobs);
}

// The result among those of the sweep.
Outcome kept_in(const std::string& folder, Outcome outcome) {
  const std::string bytes = read_input("result file", outcome.file, kAnySize);
  outcome.file = (fs::path(folder) / fs::path(outcome.file).filename()).string();
  write_atomically(outcome.file, bytes);
  return outcome;
}

std::vector<Contest> part_of(std::vector<Contest> contests, const TuneOptions& options) {
  if (!options.shard) return contests;
  std::vector<std::string> keys, names;
  for (const Contest& contest : contests) {
    keys.push_back(contest.problem + contest.base);
    names.push_back(result_file_name(contest.jobs.front().spec));
  }
  write_expected(options.sweep.folder, names);
  std::vector<Contest> part;
  for (const size_t i : part_of(keys, *options.shard)) part.push_back(std::move(contests[i]));
  return part;
}

}  // namespace

std::vector<Outcome> dry_tune(const Suite& suite, const SweepOptions& sweep) {
  std::vector<Contest> contests = contests_of(suite);
  std::vector<Contest*> all;
  for (Contest& contest : contests) all.push_back(&contest);
  std::vector<Outcome> outcomes = dry_run(jobs_of_round(all, 0), of_candidates(sweep));
  auto next = outcomes.begin();
  for (const Contest& contest : contests) {
    const size_t count = contest.jobs.size();
    const double later = cost_after(0, count, contest.jobs.front().spec.packs);
    for (size_t i = 0; i < count; ++i) {
      (next++)->core_seconds *= 1 + later / static_cast<double>(count);
    }
  }
  return outcomes;
}

std::vector<Tuned> tune(const Suite& suite, const TuneOptions& options, Interrupt& interrupt) {
  std::vector<Contest> contests = part_of(contests_of(suite), options);
  SweepOptions sweep = of_candidates(options.sweep);
  sweep.quiet = true;
  size_t rounds = 0;
  std::vector<Contest*> all;
  for (Contest& contest : contests) {
    rounds = std::max(rounds, rounds_of(contest.jobs.front().spec.packs).size());
    set_combinations_apart(contest);
    all.push_back(&contest);
  }
  sweep.label = "tuning, one option at a time ";
  sweep.later_work = later_work(all, 0);
  run_round(all, 0, sweep, interrupt);
  compare(all);
  for (Contest& contest : contests) {
    if (!is_behind(contest, options)) admit_combinations(contest);
    contest.combinations.clear();
  }
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<Contest*> open;
    for (Contest& contest : contests) {
      if (!contest.is_over) open.push_back(&contest);
    }
    sweep.label = fmt::format("tuning, round {} of {} ", round + 1, rounds);
    sweep.later_work = later_work(open, round);
    run_round(open, round, sweep, interrupt);
    compare(open);
    for (Contest* contest : open) {
      const size_t last = rounds_of(contest->jobs.front().spec.packs).size() - 1;
      contest->is_over = round == last || is_behind(*contest, options);
      if (!contest->is_over) keep_survivors(*contest);
    }
  }
  fs::create_directories(options.sweep.folder);
  std::vector<Tuned> tuned;
  for (Contest& contest : contests) {
    const size_t best = winner(contest.seconds());
    Tuned one{kept_in(options.sweep.folder, contest.outcomes.front()), {}, contest.slowdown};
    one.best = best == 0 ? one.given : kept_in(options.sweep.folder, contest.outcomes[best]);
    tuned.push_back(std::move(one));
  }
  return tuned;
}

std::vector<Outcome> outcomes_of(const std::vector<Tuned>& tuned) {
  std::vector<Outcome> outcomes;
  for (const Tuned& one : tuned) {
    outcomes.push_back(one.given);
    if (one.is_tuned()) outcomes.push_back(one.best);
  }
  return outcomes;
}

}  // namespace cpbench
