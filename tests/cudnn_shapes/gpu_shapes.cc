#include "tests/cudnn_shapes/gpu_shapes.h"

#include "harness/cli/calibration_calls.h"
#include "harness/compile/compile.h"
#include "harness/execute/bound_program.h"
#include "harness/execute/call_tensors.h"
#include "harness/execute/gpus/gpu_reference.h"
#include "harness/execute_cuda/attention/cpu_machine_for_tests.h"
#include "harness/plan/errors.h"
#include "harness/run/job.h"
#include "harness/run/run_job.h"
#include "workloads/shapes.h"

namespace cpbench {
namespace {

// Nothing is computed: only the alignment of addresses matters.
alignas(kBufferAlignment) std::byte nowhere[1];

class Collector {
 public:
  explicit Collector(CudnnShapes& shapes) : shapes_(shapes) {}
  void add(const ForwardCall& call) { visit(CudnnForwardCall<CpuMachine>(call)); }
  void add(const BackwardCall& call) { visit(CudnnBackwardCall<CpuMachine>(call)); }
  void add(const Program& program, const AttentionShape& shape) {
    for (const RankProgram& rank : program.ranks) {
      const BoundProgram bound(rank, shape, nowhere);
      for (const ForwardCall& call : bound.forward) add(call);
      for (const BackwardCall& call : bound.backward) add(call);
    }
  }

 private:
  template <typename Call>
  void visit(const Call& call) {
    call.for_each_shape([&](const CudnnShape& shape) { shapes_.insert(shape); });
  }
  CudnnShapes& shapes_;
};

// A buffer without memory.
struct NoBuffer {
  NoBuffer(const Buffer& layout, const AttentionShape& shape)
      : layout(layout), bound(bound_at(layout, shape, nowhere)) {}
  Matrix part(int32_t index) const { return matrix_of(bound, index, layout.heads); }
  Buffer layout;
  BoundBuffer bound;
};

}  // namespace

CudnnShapes shapes_of_suite(const std::string& name) {
  CudnnShapes shapes;
  Collector collector(shapes);
  for (const Job& job : jobs_of(read_suite(name))) {
    for (const Batch& batch : *job.batches) {
      const Problem problem = job.problem(batch);
      const Passes passes = job.spec.passes;
      try {
        const Plan plan = plan_pack(job, problem).pack.plan;
        collector.add(compile(problem, plan, passes, job.backend->collectives), problem.shape);
      } catch (const Unsupported&) {
        continue;  // by the strategy
      }
      if (!job.backend->runs) continue;  // nothing is verified
      Problem on_one = problem;
      on_one.cluster = {};
      collector.add(compile(on_one, single_rank_plan(on_one), passes), problem.shape);
    }
  }
  return shapes;
}

CudnnShapes shapes_of_calibration(const std::string& name) {
  CudnnShapes shapes;
  Collector collector(shapes);
  AttentionShape shape = find_shape(name).attention;
  shape.dtype = Dtype::bfloat16;
  for (const TimedCall& call : gpu_calibration_calls(shape)) {
    const RowsOfCall rows(call.segments);
    const ForwardTensors<NoBuffer> in(shape, call.heads, rows.q, rows.kv, ElementClass::model);
    collector.add(in.call(call.segments));
    collector.add(BackwardTensors<NoBuffer>(in).call(in, call.segments));
  }
  return shapes;
}

}  // namespace cpbench
