// The Job: a run with everything that it needs, resolved once. Nothing after it looks up a name,
// reads a file or makes the packs again, so a file that is edited during a sweep changes no run of
// it.
//
//   Suite suite = read_suite("quick");
//   for (const Job& job : jobs_of(suite)) run_job(job, context);
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "harness/cost/kernel_time.h"
#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/plan/mask_text.h"
#include "harness/plan/problem.h"
#include "harness/run/backends.h"
#include "harness/run/suite.h"
#include "harness/simulate/simulate.h"
#include "harness/spec/run_spec.h"

namespace cpbench {

struct Job {
  RunSpec spec;  // complete: it identifies the run
  const Backend* backend = nullptr;
  bool in_processes = false;            // several processes run it together
  std::optional<ClusterModel> machine;  // of the run's ranks and nodes; none: ranks without costs
  KernelModel kernel;                   // of a simulation by models, scaled to the machine
  Profile profile;                      // of a simulation
  NetworkModel network = NetworkModel::ports;
  // The packs, shared by runs of one problem; each pack as often as there are masks.
  std::shared_ptr<const std::vector<Batch>> batches;
  std::vector<LayerMask> masks;  // usually one

  Cluster cluster() const;  // that plans are made for
  // The shape with its layer only if the run asks for it (`--layer`). Without that word
  // simulations charge a layer's time, but no rank holds its weights.
  AttentionShape computed_shape() const;
  Problem problem(const Batch& batch) const { return {batch, spec.shape, cluster()}; }
};

// All runs of the suite, each once, in the order of the products. Throws UserError for any value
// that is unknown, out of range, or does not go with another, naming its origin.
std::vector<Job> jobs_of(const Suite& suite);

}  // namespace cpbench
