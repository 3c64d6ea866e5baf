// The GPUs of this machine. The module of harness/execute_cuda implements this interface, so the
// program itself starts without CUDA.
//
//   Gpus& gpus = open_gpus();   // UserError: built without CUDA, no driver, no GPU
//   std::vector<RankReport> reports = gpus.run({.problem = problem, ..., .ranks = {0, {0, 1}}});
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"
#include "harness/execute/execute.h"
#include "harness/execute/kernel_timing.h"
#include "harness/execute/processes/place_ranks.h"
#include "harness/execute/processes/process_group.h"
#include "harness/execute/rank_report.h"
#include "harness/execute/reference.h"
#include "harness/plan/plan.h"

namespace cpbench {

struct Gpu {
  std::string name;  // "NVIDIA H200"
  std::string uuid;
  std::string bus;         // PCI address
  int32_t capability = 0;  // compute capability: 90 is Hopper
  int32_t sms = 0;
  int64_t memory_bytes = 0;
  int64_t l2_bytes = 0;
  double memory_bytes_per_second = 0;  // nominal, from clock and bus width; 0: unknown
  double clock_hertz = 0;              // highest clock of the SMs
};

// How the ranks of a run exchange data.
enum class GpuTransport : uint8_t {
  nccl,    // each rank must have a GPU of its own
  copies,  // all ranks must be in this process; any number may share a GPU, but not with graphs
};

struct GpuJob {
  const Problem& problem;
  const Plan& plan;
  const Program& program;
  const ExecuteOptions& options;
  const Reference& reference;
  GpuTransport transport = GpuTransport::nccl;
  RanksOfProcess ranks;           // of this process
  ProcessGroup* group = nullptr;  // the processes of the other ranks, inside `together`; or none
};

// The ranks of a run over NCCL. Runs with the same ones share their communicators.
struct NcclRanks {
  int32_t count = 0;    // of all processes
  RanksOfProcess mine;  // of this process
  NcclOptions options;
  bool operator==(const NcclRanks&) const = default;
};

struct ReplayOptions {
  std::string kernel;
  int32_t sm_margin = 0;  // SMs that the kernel leaves free
  int32_t device = 0;
  int32_t iterations = 3;  // the median of each operation's times counts
};

// What the first `ranks` GPUs of this machine do at the same time over NCCL, with blocks of
// `bytes`.
enum class LinkUse : uint8_t {
  shift,  // each GPU sends its block to the next one
  all_gather,
  reduce_scatter,  // bfloat16 elements
};
struct TimedExchange {
  LinkUse use = LinkUse::shift;
  int32_t ranks = 0;
  int64_t bytes = 0;   // must be a multiple of 512
  double seconds = 0;  // the result
};

class Gpus {
 public:
  virtual ~Gpus() = default;
  virtual const std::vector<Gpu>& all() const = 0;
  // Those of gpu_library_versions, "cuda_driver" and "gpu": for the provenance of results.
  virtual std::map<std::string, std::string> versions() const = 0;
  // Returns `name`, or the kernel that "auto" stands for with this shape and margin. Throws
  // UserError if the kernel is unknown, was not built, does not support the shape, or cannot leave
  // so many SMs free.
  virtual std::string kernel_for(const std::string& name, const AttentionShape& shape,
                                 int32_t sm_margin) = 0;

  // Runs the ranks of this process and returns their reports in order. Times are taken by each
  // rank's GPU, from the end of a barrier of all GPUs. `seconds` are of iterations that run without
  // any further measurement; times in kernels and in the harness, and events, are of as many traced
  // iterations. Throws ExecutionFailure, DoesNotFit and UserError.
  virtual std::vector<RankReport> run(const GpuJob& job) = 0;

  // The time to create a communicator of NCCL for each of these groups of ranks, which are sorted
  // and have no rank in common: that of the slowest process, and 0 if there are none. It is taken
  // without the communicator of all ranks, which must exist first. All processes of `processes`
  // (none: only this one) must call it. NCCL has no timeout: the process exits when it passes.
  virtual double communicator_seconds(const NcclRanks& ranks, ProcessGroup* processes,
                                      const std::vector<std::vector<int32_t>>& groups,
                                      double timeout_seconds) = 0;

  // What the driver said of the GPUs of this process while the last run took its samples:
  // "gpu_watts" and "gpu_slowdowns". Empty if it says nothing.
  virtual std::map<std::string, std::string> load_of_last_run() const = 0;

  // Times a rank's operations, one after another on one GPU; messages take 0 seconds. Only one rank
  // is in the GPU's memory, whatever the number of ranks. Throws DoesNotFit.
  virtual std::vector<double> replay(const AttentionShape& shape, const RankProgram& program,
                                     const ReplayOptions& options) = 0;

  // Like the functions of kernel_timing.h, on the first GPU.
  virtual void time_calls(const std::string& kernel, const AttentionShape& shape,
                          std::span<TimedCall> calls) = 0;
  virtual RowRates row_rates(const AttentionShape& shape, int64_t rows) = 0;
  // The time from one small kernel to the next on a stream.
  virtual double launch_seconds() = 0;

  // Sets the time of each exchange: that of the slowest rank, the median of several samples. Throws
  // ExecutionFailure.
  virtual void time_exchanges(std::span<TimedExchange> exchanges, double timeout_seconds) = 0;
};

// The GPUs are opened once, and stay open until the process ends.
Gpus& open_gpus();

// Versions of the libraries that runs on GPUs use: "cuda", "nccl", "cudnn" if its kernel can be
// loaded, and "flash_attn_3" if there is one. Needs no GPU. Throws UserError like open_gpus.
std::map<std::string, std::string> gpu_library_versions();

// What the module exports.
inline constexpr const char* kGpuModule = "cpbench_cuda.so";
inline constexpr const char* kGpuFunction = "cpbench_open_gpus";
using OpenGpusFunction = Gpus*();
inline constexpr const char* kGpuVersionsFunction = "cpbench_add_gpu_library_versions";
using GpuVersionsFunction = void(std::map<std::string, std::string>& versions);

}  // namespace cpbench
