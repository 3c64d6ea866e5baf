#include "harness/execute/gpus/gpu_reference.h"

#include <list>

#include "harness/compile/compile.h"
#include "harness/execute/torch_reference.h"
#include "harness/plan/builder.h"
#include "harness/plan/mask.h"

namespace cpbench {
namespace {

// A few seconds of float32 on a GPU, of float64 on the cores of a server.
constexpr double kMostFlopsOnGpu = 2e14;
constexpr double kMostFlopsOnCores = 2e12;
constexpr size_t kRemembered = 4;

double flops_of(const Problem& problem, Passes passes) {
  const MaskIndex mask(problem.batch);
  const double products = passes == Passes::both ? 7 : 2;  // matrix products of a pair
  const double width = (problem.shape.head_dim + problem.shape.value_head_dim) / 2.0;
  return 2 * products * width * problem.shape.query_heads * static_cast<double>(mask.pairs());
}

// The same problem with the heads that are looked at.
Problem looked_at(const Problem& problem, Passes passes, bool on_gpu) {
  Problem smaller = problem;
  smaller.cluster = {};
  if (flops_of(problem, passes) <= (on_gpu ? kMostFlopsOnGpu : kMostFlopsOnCores)) return smaller;
  smaller.shape.query_heads /= smaller.shape.kv_heads;
  smaller.shape.kv_heads = 1;
  return smaller;
}

// One rank that has all and attends all.
Plan plain_plan(const Problem& problem) {
  PlanBuilder b(problem);
  b.home(0, {{0, problem.tokens()}});
  b.forward().attend(0, 0, b.home_of(0), b.home_of(0));
  b.backward_by_return();
  return b.finish();
}

Reference make_reference(const Problem& problem, const ExecuteOptions& options, bool on_gpu) {
  Reference reference = exact_attention(problem.batch, problem.shape, options.seed, options.passes,
                                        on_gpu ? TensorDevice::cuda : TensorDevice::cpu);
  if (problem.shape.dtype == Dtype::float64) return reference;
  const Plan plan = plain_plan(problem);
  const Program program = compile(problem, plan, options.passes);
  ExecuteOptions once = options;
  once.iterations = 1;
  once.warmup = 1;
  once.graph = false;
  const std::vector<RankReport> reports = open_gpus().run({.problem = problem,
                                                           .plan = plan,
                                                           .program = program,
                                                           .options = once,
                                                           .reference = reference,
                                                           .transport = GpuTransport::copies,
                                                           .devices = {0}});
  reference.plain_error_output = reports.front().accuracy.max_error_output;
  reference.plain_error_gradient = reports.front().accuracy.max_error_gradient;
  return reference;
}

struct Remembered {
  Problem problem;
  std::string kernel;
  uint64_t seed;
  Passes passes;
  std::shared_ptr<const Reference> reference;
};

}  // namespace

std::shared_ptr<const Reference> gpu_reference_for(const Problem& problem,
                                                   const ExecuteOptions& options) {
  static std::list<Remembered> remembered;  // the latest first; on the thread of the sweep alone
  const bool on_gpu = cuda_tensors_work();
  const Problem smaller = looked_at(problem, options.passes, on_gpu);
  for (const Remembered& r : remembered) {
    if (r.problem == smaller && r.kernel == options.kernel && r.seed == options.seed &&
        r.passes == options.passes) {
      return r.reference;
    }
  }
  auto reference = std::make_shared<const Reference>(make_reference(smaller, options, on_gpu));
  remembered.push_front({smaller, options.kernel, options.seed, options.passes, reference});
  if (remembered.size() > kRemembered) remembered.pop_back();
  return reference;
}

}  // namespace cpbench
