// From the values of one run to its Job.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "harness/plan/errors.h"
#include "harness/run/job.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

// Where the value of a field was given, for messages: "--tokens", "quick.toml:7: tokens".
using Origin = std::function<std::string(const std::string& field)>;

// Runs a check and puts the origin of the value before its message.
template <typename Function>
void at_origin(const std::string& origin, Function function) {
  try {
    function();
  } catch (const UserError& error) {
    throw UserError(origin + ": " + error.what());
  }
}

// Looks up every name that a run has, completes what "auto" stands for, and clears what has no
// meaning for the run, so that equal runs have equal ids. Each file is read once for all runs.
class Resolver {
 public:
  // `dtype_given`: otherwise it follows from the backend. Throws UserError that begins with the
  // origin of the value.
  Job resolve(RunSpec spec, bool dtype_given, const Origin& origin);

 private:
  using Batches = std::shared_ptr<const std::vector<Batch>>;
  void place(Job& job, const Origin& origin);
  void choose_models(Job& job, const Origin& origin, const std::string& kernel_origin);
  // Sets the tokens per pack where the workload gives whole packs.
  Batches batches_of(RunSpec& spec);

  std::map<std::string, ClusterModel> clusters_;
  std::map<std::string, KernelModel> kernels_;
  std::map<std::string, Profile> profiles_;
  std::map<std::string, NamedShape> shapes_;
  std::map<std::string, std::shared_ptr<const Workload>> workloads_;
  std::map<std::string, Batches> batches_;
};

// "flashcp:ratio=1.2" in `spec.strategy` into the name and the options. Throws UserError.
void split_strategy(RunSpec& spec);

// Of each document a share below 1, rounded down, or so many tokens are cached, but at least one
// token of each is new. Pad slots stay as they are.
void set_cached(Batch& batch, double cached);

// Hash of all that the job's names stand for, for `RunSpec::inputs`. `also`: what else its times
// follow from, as the versions of a GPU's libraries.
std::string inputs_of(const Job& job, const std::map<std::string, std::string>& also = {});

}  // namespace cpbench
