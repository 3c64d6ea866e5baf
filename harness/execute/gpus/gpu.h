// The GPUs of this machine, as the module of harness/execute_cuda offers them: the program itself
// starts without CUDA.
//
//   Gpus& gpus = open_gpus();   // UserError: built without CUDA, no driver, no GPU
//   std::vector<RankReport> reports = gpus.run({.problem = problem, ..., .devices = {0, 1}});
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"
#include "harness/execute/execute.h"
#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/execute/kernel_timing.h"
#include "harness/execute/processes/process_group.h"
#include "harness/execute/rank_report.h"
#include "harness/execute/reference.h"
#include "harness/plan/plan.h"

namespace cpbench {

struct Gpu {
  std::string name;  // "NVIDIA H200"
  std::string uuid;
  std::string bus;         // PCI address
  int32_t capability = 0;  // 90: Hopper
  int32_t sms = 0;
  int64_t memory_bytes = 0;
  int64_t l2_bytes = 0;
  double memory_bytes_per_second = 0;  // nominal, by clock and bus width; 0: not told
  double clock_hertz = 0;              // highest of the SMs
};

// How the ranks of a run reach one another.
enum class GpuTransport : uint8_t {
  nccl,    // a GPU each
  copies,  // ranks of this process, any number on a GPU
};

struct GpuJob {
  const Problem& problem;
  const Plan& plan;
  const Program& program;
  const ExecuteOptions& options;
  const Reference& reference;
  GpuTransport transport = GpuTransport::nccl;
  int32_t first_rank = 0;         // of this process
  std::vector<int32_t> devices;   // of its ranks [first_rank, first_rank + devices.size())
  ProcessGroup* group = nullptr;  // with the processes of the other ranks; inside a work of it
};

struct ReplayOptions {
  std::string kernel;
  int32_t device = 0;
  int32_t iterations = 3;  // the median of each operation counts
};

// What the first `ranks` GPUs of this machine do at the same time over NCCL, with blocks of
// `bytes`.
enum class LinkUse : uint8_t {
  shift,  // each sends its block to the next one
  all_gather,
  reduce_scatter,  // of bfloat16
};
struct TimedExchange {
  LinkUse use = LinkUse::shift;
  int32_t ranks = 0;
  int64_t bytes = 0;   // a multiple of 512
  double seconds = 0;  // what is to be found
};

class Gpus {
 public:
  virtual ~Gpus() = default;
  virtual const std::vector<Gpu>& all() const = 0;
  // "cuda", "cuda_driver", "nccl", "cudnn" and "gpu": for provenance.
  virtual std::map<std::string, std::string> versions() const = 0;
  // The kernel itself, or what "auto" stands for with this shape. UserError: unknown, not built, or
  // it cannot do the shape.
  virtual std::string kernel_for(const std::string& name, const AttentionShape& shape) = 0;

  // Runs the ranks of this process; in their order. Each rank's clock is its GPU's, from the end of
  // a barrier of all GPUs. Seconds are of iterations that nothing but the clock looks at; those
  // spent in kernels and in the harness, and events, of as many iterations that are traced. Throws
  // ExecutionFailure, DoesNotFit and UserError.
  virtual std::vector<RankReport> run(const GpuJob& job) = 0;

  // Seconds of a rank's operations, run one after another on a GPU; 0 for messages. Whatever the
  // number of ranks, one of them is in the GPU's memory. Throws DoesNotFit.
  virtual std::vector<double> replay(const AttentionShape& shape, const RankProgram& program,
                                     const ReplayOptions& options) = 0;

  // As in kernel_timing.h, on the first GPU.
  virtual void time_calls(const std::string& kernel, const AttentionShape& shape,
                          std::span<TimedCall> calls) = 0;
  virtual RowRates row_rates(const AttentionShape& shape, int64_t rows) = 0;
  // From one small kernel to the next on a stream.
  virtual double launch_seconds() = 0;

  // Of the slowest rank; the median of several times. Throws ExecutionFailure.
  virtual void time_exchanges(std::span<TimedExchange> exchanges, double timeout_seconds) = 0;
};

// Opened once, and kept until the process ends.
Gpus& open_gpus();

// What the module exports.
inline constexpr const char* kGpuModule = "cpbench_cuda.so";
inline constexpr const char* kGpuFunction = "cpbench_open_gpus";
using OpenGpusFunction = Gpus*();

}  // namespace cpbench
