// Writes a small folder of results for the tests of figures: real plans, invented times.
//   cpbench_sample_results FOLDER                one run of every kind and status
//   cpbench_sample_results FOLDER STRATEGY...    these, on four workloads and two rank counts
//   cpbench_sample_results --simulated FOLDER ...    simulations of the same runs
#include <algorithm>
#include <iostream>

#include "harness/store/provenance.h"
#include "harness/store/result_file.h"
#include "harness/store/sample_result_for_tests.h"

namespace {

using cpbench::SampleResult;
using cpbench::Status;

std::vector<SampleResult> every_case() {
  const std::vector<int64_t> mixed = {300, 1, 130, 81}, one = {512};
  return {
      {.strategy = "ring", .document_lengths = mixed},
      {.strategy = "allgather", .document_lengths = mixed, .slowness = 0.8},
      {.strategy = "flashcp", .document_lengths = mixed, .slowness = 0.5},
      {.strategy = "ulysses", .document_lengths = mixed, .status = Status::unsupported},
      {.strategy = "zigzag", .document_lengths = mixed, .status = Status::oom},
      {.strategy = "ring", .workload = "wikipedia", .document_lengths = one},
      {.strategy = "allgather", .workload = "wikipedia", .document_lengths = one, .slowness = 1.2},
      {.strategy = "flashcp",
       .workload = "wikipedia",
       .document_lengths = one,
       .status = Status::failed},
      {.strategy = "ring",
       .workload = "wikipedia",
       .document_lengths = one,
       .ranks = 8,
       .oversubscribed = true},
      {.strategy = "allgather",
       .workload = "wikipedia",
       .document_lengths = one,
       .ranks = 8,
       .oversubscribed = true},
      {.strategy = "exec:./my_planner", .document_lengths = mixed, .ranks = 1, .run = false},
  };
}

std::vector<SampleResult> all_pairs(const std::vector<std::string>& strategies) {
  const std::pair<std::string, std::vector<int64_t>> workloads[] = {
      {"lognormal:mean=1K,sigma=1.5,min=1", {100, 200, 12, 200}},
      {"pile", {300, 1, 130, 81}},
      {"wikipedia", {30, 40, 50, 60, 70, 80, 90, 92}},
      {"wlb_llm", {512}},
  };
  std::vector<SampleResult> samples;
  for (const auto& [workload, lengths] : workloads) {
    for (const int32_t ranks : {4, 8}) {
      for (size_t i = 0; i < strategies.size(); ++i) {
        samples.push_back({.strategy = strategies[i],
                           .workload = workload,
                           .document_lengths = lengths,
                           .ranks = ranks,
                           .oversubscribed = true,
                           .slowness = 1 + 0.5 * static_cast<double>(i % 7)});
      }
    }
  }
  return samples;
}

// Adds metrics of time, with an attribution whose parts sum to the whole.
void add_times(cpbench::Result& result) {
  double seconds = 0;
  for (const cpbench::PackResult& pack : result.packs) {
    const cpbench::Timeline& timeline = pack.timeline;
    if (timeline.ranks == 0) return;
    seconds +=
        *std::max_element(timeline.seconds.begin(), timeline.seconds.begin() + timeline.ranks);
  }
  const auto add = [&](const std::string& name, double value) {
    result.metrics.push_back({name, value, "s", "lower", "made up", 1});
  };
  add("iteration_seconds", seconds);
  const std::pair<const char*, double> shares[] = {{"time_ideal", 0.5},
                                                   {"time_kernel_inefficiency", 0.1},
                                                   {"time_imbalance", 0.125},
                                                   {"time_copies", 0.05},
                                                   {"time_exposed_communication", 0.125},
                                                   {"time_padding", 0.025},
                                                   {"time_layer", 0.0},
                                                   {"time_host", 0.0},
                                                   {"time_other", 0.075}};
  for (const auto& [name, share] : shares) add(name, share * seconds);
}

// Turns a run into its simulation: faster by a fifth, with transfers besides the other activities.
void simulate(cpbench::Result& result) {
  result.spec.backend = "simulate";
  result.oversubscribed = false;
  for (cpbench::PackResult& pack : result.packs) {
    cpbench::Timeline& timeline = pack.timeline;
    for (double& seconds : timeline.seconds) seconds *= 0.8;
    for (int32_t rank = 0; rank < timeline.ranks; ++rank) {
      timeline.events.push_back({rank, 0, 0, cpbench::Activity::transfer, 0.0, 5e-5});
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  const bool simulated = !words.empty() && words.front() == "--simulated";
  if (simulated) words.erase(words.begin());
  if (words.empty()) {
    std::cerr << "usage: cpbench_sample_results [--simulated] FOLDER [STRATEGY...]\n";
    return 2;
  }
  const std::vector<std::string> strategies(words.begin() + 1, words.end());
  for (const SampleResult& sample : strategies.empty() ? every_case() : all_pairs(strategies)) {
    if (simulated && !sample.run) continue;
    cpbench::Result result = cpbench::sample_result(sample);
    if (simulated) simulate(result);
    add_times(result);
    result.provenance = cpbench::provenance({"cpbench_sample_results"}, {}, {});
    write_result(words.front() + "/" + result_file_name(result.spec), result);
  }
}
