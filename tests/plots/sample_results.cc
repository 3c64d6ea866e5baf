// Writes a small run folder for the plots' tests: real plans, made-up times, every status.
//   cpbench_sample_results FOLDER                one of every case
//   cpbench_sample_results FOLDER STRATEGY...    these, on four workloads and two rank counts
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

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: cpbench_sample_results FOLDER [STRATEGY...]\n";
    return 2;
  }
  const std::vector<std::string> strategies(arguments + 2, arguments + count);
  for (const SampleResult& sample : strategies.empty() ? every_case() : all_pairs(strategies)) {
    cpbench::Result result = cpbench::sample_result(sample);
    result.provenance = cpbench::provenance({"cpbench_sample_results"}, {}, {});
    write_result(std::string(arguments[1]) + "/" + result_file_name(result.cell), result);
  }
}
