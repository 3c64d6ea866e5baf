// What the module exports: the implementation of harness/execute/gpus/gpu.h.
#include <nccl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>

#include "harness/execute/gpus/gpu.h"
#include "harness/execute/torch.h"
#include "harness/execute_cuda/attention/find_flash3.h"
#include "harness/execute_cuda/clocks.h"
#include "harness/execute_cuda/copy_transport.h"
#include "harness/execute_cuda/gpu_memory.h"
#include "harness/execute_cuda/gpu_run.h"
#include "harness/execute_cuda/gpu_timing.h"
#include "harness/execute_cuda/link_timing.h"
#include "harness/execute_cuda/load_kernel.h"
#include "harness/execute_cuda/nccl_transport.h"
#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr int32_t kUniqueIdTag = 0;  // any tag will do, because no other message is in flight

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

std::string text_of(const cudaUUID_t& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
    if (i == 3 || i == 5 || i == 7 || i == 9) text += '-';
  }
  return text;
}

Gpu describe(int device, const Clocks& clocks) {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  char bus[32] = {};
  check_cuda(cudaDeviceGetPCIBusId(bus, sizeof bus, device), "cudaDeviceGetPCIBusId");
  Gpu gpu;
  gpu.name = properties.name;
  gpu.uuid = text_of(properties.uuid);
  gpu.bus = bus;
  gpu.capability = 10 * properties.major + properties.minor;
  gpu.sms = properties.multiProcessorCount;
  gpu.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  gpu.l2_bytes = properties.l2CacheSize;
  // Data moves on both edges of the clock, which is in kHz; the bus width is in bits.
  gpu.memory_bytes_per_second =
      2e3 * attribute(cudaDevAttrMemoryClockRate, device) * properties.memoryBusWidth / 8;
  gpu.clock_hertz = clocks.highest_sm_hertz(gpu.bus);
  if (gpu.clock_hertz == 0) gpu.clock_hertz = 1e3 * attribute(cudaDevAttrClockRate, device);
  return gpu;
}

std::string dotted(int version) {  // 13000 -> "13.0"
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string dotted_triple(int version) {  // 22809 -> "2.28.9"
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

void add_library_versions(std::map<std::string, std::string>& versions) {
  int runtime = 0, nccl = 0;
  check_cuda(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  check_nccl(ncclGetVersion(&nccl), "ncclGetVersion");
  versions["cuda"] = dotted(runtime);
  versions["nccl"] = dotted_triple(nccl);
  const int cudnn = loaded_cudnn_version();
  if (cudnn > 0) versions["cudnn"] = dotted_triple(cudnn);
  const std::optional<Flash3Package> flash3 = find_flash3(open_torch().packages());
  if (flash3) versions["flash_attn_3"] = flash3->version;
}

class CudaGpus : public Gpus {
 public:
  CudaGpus() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code != cudaSuccess) throw UserError(why_none(code));
    if (count == 0) throw UserError("no GPU here: CUDA_VISIBLE_DEVICES hides all GPUs");
    for (int device = 0; device < count; ++device) all_.push_back(describe(device, clocks_));
  }

  const std::vector<Gpu>& all() const override { return all_; }

  std::map<std::string, std::string> versions() const override {
    std::map<std::string, std::string> found;
    add_library_versions(found);
    found["cuda_driver"] = clocks_.driver();
    found["gpu"] = all_.front().name;
    return found;
  }

  std::string kernel_for(const std::string& name, const AttentionShape& shape,
                         int32_t sm_margin) override {
    return opened(name, shape, sm_margin).name;
  }

  std::vector<RankReport> run(const GpuJob& job) override {
    const GpuKernel& kernel =
        *opened(job.options.kernel, job.problem.shape, job.options.sm_margin).kernel;
    load_ = {};
    require_devices(job.ranks.devices);
    if (job.transport == GpuTransport::copies) {
      CopyTransport copies(job.ranks.devices, messages_of(job.program));
      return run_on_gpus({job, kernel, copies, all_, clocks_, &load_});
    }
    const auto ranks = static_cast<int32_t>(job.program.ranks.size());
    NcclTransport& nccl =
        nccl_for({ranks, job.ranks, job.options.nccl}, job.group, job.options.timeout_seconds);
    return run_on_gpus({job, kernel, nccl, all_, clocks_, &load_});
  }

  double communicator_seconds(const NcclRanks& ranks, ProcessGroup* processes,
                              const std::vector<std::vector<int32_t>>& groups,
                              double timeout_seconds) override {
    if (groups.empty()) return 0;
    require_devices(ranks.mine.devices);
    NcclTransport& nccl = nccl_for(ranks, processes, timeout_seconds);
    if (processes) processes->barrier();
    const double seconds = nccl.creation_seconds(groups);
    return processes ? *processes->slowest(seconds) : seconds;
  }

  std::map<std::string, std::string> load_of_last_run() const override {
    if (load_.samples == 0) return {};
    char watts[64];
    std::snprintf(watts, sizeof watts, "mean %.0f, highest %.0f",
                  load_.watts / static_cast<double>(load_.samples), load_.most_watts);
    return {{"gpu_watts", watts}, {"gpu_slowdowns", slowdowns_text(load_.slowdowns)}};
  }

  std::vector<double> replay(const AttentionShape& shape, const RankProgram& program,
                             const ReplayOptions& options) override {
    const GpuKernel& kernel = *opened(options.kernel, shape, options.sm_margin).kernel;
    require_gpu_memory(options.device, program.arena_bytes);
    return replay_program(shape, program, kernel, options);
  }

  void time_calls(const std::string& kernel, const AttentionShape& shape,
                  std::span<TimedCall> calls) override {
    const GpuKernel& found = *opened(kernel, shape, 0).kernel;
    set_device(0);
    time_gpu_calls(found, shape, calls);
  }
  RowRates row_rates(const AttentionShape& shape, int64_t rows) override {
    set_device(0);
    return measure_gpu_row_rates(shape, rows);
  }
  double launch_seconds() override {
    set_device(0);
    return measure_launch_seconds();
  }

  void time_exchanges(std::span<TimedExchange> exchanges, double timeout_seconds) override {
    while (!exchanges.empty()) {
      const int32_t ranks = exchanges.front().ranks;
      const auto end = std::ranges::find_if(
          exchanges, [&](const TimedExchange& exchange) { return exchange.ranks != ranks; });
      const auto count = static_cast<size_t>(end - exchanges.begin());
      std::vector<int32_t> devices(ranks);
      std::iota(devices.begin(), devices.end(), 0);
      NcclTransport transport(NcclTransport::new_id(), ranks, {0, devices}, timeout_seconds);
      time_exchanges_between(devices, transport, timeout_seconds, exchanges.first(count));
      exchanges = exchanges.subspan(count);
    }
  }

 private:
  static std::string why_none(cudaError_t code) {
    if (code == cudaErrorNoDevice) return "no GPU here: the NVIDIA driver finds none";
    if (code == cudaErrorInsufficientDriver) {
      int runtime = 0;
      static_cast<void>(cudaRuntimeGetVersion(&runtime));
      return "no usable GPU here: no NVIDIA driver, or one older than CUDA " + dotted(runtime) +
             " requires; nvidia-smi shows its version";
    }
    return std::string("no usable GPU here: ") + cudaGetErrorString(code);
  }

  void require_devices(const std::vector<int32_t>& devices) const {
    for (int32_t device : devices) {
      if (device >= 0 && device < std::ssize(all_)) continue;
      throw UserError("there is no GPU " + std::to_string(device) + ", only " +
                      std::to_string(all_.size()));
    }
  }

  static bool same_on_all_processes(bool same, ProcessGroup* group) {
    if (!group) return same;
    const std::vector<std::string> answers = group->gather(same ? "same" : "different");
    return std::ranges::count(answers, "same") == std::ssize(answers);
  }

  // Each kernel is opened once, because it keeps what it builds for a shape. This makes no GPU the
  // current one, which would use its memory: it may be another process's.
  const OpenedKernel& opened(const std::string& name, const AttentionShape& shape,
                             int32_t sm_margin) {
    OpenedKernel fresh = open_gpu_kernel(name, shape, sm_margin);
    const auto [kept, first] =
        kernels_.try_emplace(std::pair(fresh.name, sm_margin), std::move(fresh));
    return kept->second;
  }

  // Creating communicators takes seconds. Those of the last run serve the next one if the ranks of
  // every process and their options are the same and none was closed: NCCL needs all processes to
  // create new ones.
  NcclTransport& nccl_for(const NcclRanks& ranks, ProcessGroup* group, double timeout_seconds) {
    const bool same = nccl_ && !nccl_->closed() && nccl_ranks_ == ranks;
    if (same_on_all_processes(same, group)) return *nccl_;
    nccl_.reset();
    ncclUniqueId id{};
    if (!group || group->rank() == 0) id = NcclTransport::new_id();
    const auto bytes = std::span(reinterpret_cast<std::byte*>(&id), sizeof id);
    for (int32_t other = 1; group && other < group->size(); ++other) {
      if (group->rank() == 0) group->send(0, other, kUniqueIdTag, bytes);
      if (group->rank() == other) group->receive(0, other, kUniqueIdTag, bytes);
    }
    nccl_ = std::make_unique<NcclTransport>(id, ranks.count, ranks.mine, timeout_seconds,
                                            ranks.options);
    nccl_ranks_ = ranks;
    return *nccl_;
  }

  Clocks clocks_;
  GpuLoad load_;
  std::vector<Gpu> all_;
  std::map<std::pair<std::string, int32_t>, OpenedKernel> kernels_;  // by name and margin
  std::unique_ptr<NcclTransport> nccl_;
  NcclRanks nccl_ranks_;  // between which nccl_ is
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::Gpus* cpbench_open_gpus() { return new cpbench::CudaGpus(); }

extern "C" void cpbench_add_gpu_library_versions(std::map<std::string, std::string>& versions) {
  cpbench::add_library_versions(versions);
}
