#include "harness/execute_cuda/gpu_run.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include "harness/compile/exchanges.h"
#include "harness/execute_cuda/counting_transport.h"
#include "harness/execute_cuda/gpu_memory.h"
#include "harness/execute_cuda/gpu_rank.h"

namespace cpbench {
namespace {

// How much memory is zeroed before each iteration, as a multiple of the L2 cache. (MagiAttention
// zeroes 256 MB; the L2 cache of an H100 has 50 MB.)
constexpr int64_t kFlushedCaches = 4;

int64_t flush_bytes(const Gpu& gpu) { return kFlushedCaches * gpu.l2_bytes; }

// Checks the arenas and layers of the ranks on each GPU and the memory that is flushed. Kernel
// calls may need more.
void require_memory(const GpuRun& run) {
  const auto& [first_rank, devices] = run.job.ranks;
  std::map<int32_t, int64_t> planned;
  for (size_t i = 0; i < devices.size(); ++i) {
    const int32_t device = devices[i];
    planned.try_emplace(device, flush_bytes(run.gpus[device]));
    const RankProgram& program = run.job.program.ranks[first_rank + i];
    planned[device] += program.arena_bytes + layer_bytes(program, run.job.program.shape);
  }
  for (const auto& [device, bytes] : planned) require_gpu_memory(device, bytes);
}

// What the ranks' threads share.
class Runner {
 public:
  explicit Runner(const GpuRun& run)
      : run_(run),
        job_(run.job),
        exchanges_(run.job.plan),
        counting_(run.transport, static_cast<int32_t>(run.job.program.ranks.size())),
        control_(
            first_rank(), static_cast<int32_t>(job_.ranks.devices.size()), [this] { close(); },
            run.job.options.timeout_seconds),
        sampler_(run.clocks, buses()),
        ranks_(job_.ranks.devices.size()),
        reports_(job_.ranks.devices.size()) {
    for (int32_t device : job_.ranks.devices) {
      if (flush_.contains(device)) continue;
      set_device(device);
      flush_.emplace(device, static_cast<size_t>(flush_bytes(run.gpus[device])));
    }
  }

  // Building graphs may take minutes and differ between processes, so no rank waits for another
  // before all are ready: it would have no progress to report.
  std::vector<RankReport> run() {
    on_every_rank([this](int32_t rank) {
      auto& on_gpu = ranks_[rank - first_rank()];
      on_gpu = std::make_unique<GpuRank>(job_.program, rank, exchanges_, run_.kernel, counting_,
                                         control_);
      on_gpu->warm_up();
    });
    wait_for_other_processes();
    on_every_rank([this](int32_t rank) { run_rank(*ranks_[rank - first_rank()], rank); });
    if (run_.load) *run_.load = sampler_.load();
    destroy_ranks();
    return std::move(reports_);
  }

 private:
  int32_t first_rank() const { return job_.ranks.first_rank; }
  int32_t device_of(int32_t rank) const { return job_.ranks.devices[rank - first_rank()]; }

  // The failure of another process ends the ranks of this one.
  void on_every_rank(const std::function<void(int32_t rank)>& work) {
    control_.run_ranks(
        [&](int32_t rank) {
          set_device(device_of(rank));
          work(rank);
        },
        [this] {
          if (job_.group) job_.group->check_peers();
        });
  }

  void wait_for_other_processes() {
    if (!job_.group) return;
    try {
      job_.group->agree("state of the ranks", "ready");  // sleeps while it waits
    } catch (...) {
      close();
      throw;
    }
  }

  void close() {
    closed_ = true;
    run_.transport.close();
  }

  std::set<std::string> buses() const {
    std::set<std::string> all;
    for (int32_t device : job_.ranks.devices) all.insert(run_.gpus[device].bus);
    return all;
  }

  std::map<int32_t, int64_t> free_bytes() const {  // by device
    std::map<int32_t, int64_t> free;
    for (const auto& [device, flush] : flush_) {
      set_device(device);
      free[device] = free_gpu_bytes();
    }
    return free;
  }

  // The memory of a rank is what is freed with it. What else was allocated since the run began is
  // the code of kernels and the buffers of NCCL, which the next run has already.
  void destroy_ranks() {
    for (size_t i = 0; i < ranks_.size(); ++i) reports_[i].peak_bytes = ranks_[i]->planned_bytes();
    const std::map<int32_t, int64_t> before = free_bytes();
    ranks_.clear();
    const std::map<int32_t, int64_t> after = free_bytes();
    for (size_t i = 0; i < reports_.size(); ++i) {
      const int32_t device = job_.ranks.devices[i];
      const auto sharers = std::ranges::count(job_.ranks.devices, device);
      reports_[i].peak_bytes =
          std::max(reports_[i].peak_bytes, (after.at(device) - before.at(device)) / sharers);
    }
  }

  void connect() {
    std::vector<RankLinks> links;
    for (const auto& rank : ranks_) links.push_back(rank->links());
    control_.operation_started(first_rank(), 0, 0, kEveryRank);
    counting_.connect(links);
  }

  void run_rank(GpuRank& on_gpu, int32_t rank) {
    const int32_t device = device_of(rank);
    if (rank == first_rank()) connect();
    set_device(device);
    control_.barrier();
    on_gpu.fill_inputs(job_.options.seed);
    control_.barrier();
    const DeviceArray<std::byte>& flush = flush_.at(device);
    const auto iterate = [&](const auto& issue) {
      on_gpu.begin({flush.data(), flush.size()});
      issue();
      on_gpu.finish([this] { return closed_.load(); });
    };
    RankReport& report = reports_[rank - first_rank()];
    const ExecuteOptions& options = job_.options;
    const bool captured = options.graph && run_.transport.supports_graphs();
    const auto sample = [&] {
      iterate([&] { captured ? on_gpu.issue_captured() : on_gpu.issue(); });
    };
    iterate([&] { on_gpu.issue(); });
    counting_.stop_counting(rank);
    report.verify(on_gpu.outputs().view(), job_.reference);
    if (captured) on_gpu.capture();
    control_.barrier();  // after it no rank allocates memory
    // The GPU was idle during the verification, so all warm-up follows it.
    for (int32_t i = 0; i < std::max(1, options.warmup); ++i) sample();
    const Gpu& gpu = run_.gpus[device];
    sampler_.begin();
    for (int32_t i = 0; i < options.iterations; ++i) {
      sample();
      report.seconds.push_back(on_gpu.seconds());
      const double clock = run_.clocks.sm_hertz(gpu.bus);
      if (clock > 0) report.clock_share.push_back(clock / gpu.clock_hertz);
    }
    sampler_.end();
    for (int32_t i = 0; i < options.iterations; ++i) {
      iterate([&] { on_gpu.issue_traced(); });
      GpuTrace trace = on_gpu.trace();
      report.attention_seconds.push_back(trace.attention_seconds);
      report.overhead_seconds.push_back(trace.overhead_seconds);
      report.events = std::move(trace.events);
    }
    for (int32_t i = 0; i < portion_iterations(options); ++i) {
      iterate([&] { on_gpu.issue(Portion::work); });
      const double seconds = on_gpu.seconds();
      iterate([&] { on_gpu.issue_traced(Portion::work); });
      const GpuTrace trace = on_gpu.trace();
      report.add_work(seconds, trace.overhead_seconds, trace.events);
      iterate([&] { on_gpu.issue(Portion::exchanges); });
      report.portions.exchange_seconds.push_back(on_gpu.seconds());
    }
    report.bytes_sent = counting_.bytes_from(rank);
    report.messages = counting_.messages_from(rank);
  }

  const GpuRun& run_;
  const GpuJob& job_;
  Exchanges exchanges_;
  CountingDeviceTransport counting_;
  RunControl control_;
  LoadSampler sampler_;
  // Of the ranks of this process. They are destroyed after a failure has closed the transport,
  // because their destructor waits for their streams.
  std::vector<std::unique_ptr<GpuRank>> ranks_;
  std::vector<RankReport> reports_;
  std::map<int32_t, DeviceArray<std::byte>> flush_;  // by device
  std::atomic<bool> closed_ = false;
};

}  // namespace

std::vector<RankReport> run_on_gpus(const GpuRun& run) {
  require_memory(run);
  return Runner(run).run();
}

}  // namespace cpbench
