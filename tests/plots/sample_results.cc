// Writes a small run folder for the plots' tests: real plans, made-up times, every status.
//   cpbench_sample_results FOLDER
#include <iostream>

#include "harness/store/provenance.h"
#include "harness/store/result_file.h"
#include "harness/store/sample_result_for_tests.h"

int main(int count, char** arguments) {
  using cpbench::Status;
  if (count != 2) {
    std::cerr << "usage: cpbench_sample_results FOLDER\n";
    return 2;
  }
  const std::vector<int64_t> mixed = {300, 1, 130, 81}, one = {512};
  const cpbench::SampleResult samples[] = {
      {.strategy = "ring", .document_lengths = mixed},
      {.strategy = "allgather", .document_lengths = mixed, .slowness = 0.8},
      {.strategy = "flashcp", .document_lengths = mixed, .slowness = 0.5},
      {.strategy = "ulysses", .document_lengths = mixed, .status = Status::unsupported},
      {.strategy = "zigzag", .document_lengths = mixed, .status = Status::oom},
      {.strategy = "ring", .workload = "wikipedia", .document_lengths = one},
      {.strategy = "allgather", .workload = "wikipedia", .document_lengths = one, .slowness = 1.2},
      {.strategy = "flashcp", .workload = "wikipedia", .document_lengths = one,
       .status = Status::failed},
      {.strategy = "ring", .workload = "wikipedia", .document_lengths = one, .ranks = 8,
       .oversubscribed = true},
      {.strategy = "allgather", .workload = "wikipedia", .document_lengths = one, .ranks = 8,
       .oversubscribed = true},
      {.strategy = "exec:./my_planner", .document_lengths = mixed, .ranks = 1, .run = false},
  };
  for (const cpbench::SampleResult& sample : samples) {
    cpbench::Result result = cpbench::sample_result(sample);
    result.provenance = cpbench::provenance({"cpbench_sample_results"}, {}, {});
    write_result(std::string(arguments[1]) + "/" + result_file_name(result.cell), result);
  }
}
