#include "harness/execute_cuda/gpu_run.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "harness/compile/exchanges.h"
#include "harness/execute_cuda/counting_transport.h"
#include "harness/execute_cuda/gpu_memory.h"
#include "harness/execute_cuda/gpu_rank.h"

namespace cpbench {
namespace {

// Zeroed before each iteration, in caches. (MagiAttention zeroes 256 MB; an H100's L2 has 50.)
constexpr int64_t kFlushedCaches = 4;

int64_t flush_bytes(const Gpu& gpu) { return kFlushedCaches * gpu.l2_bytes; }

// The arenas of the ranks on each GPU, and what is flushed; calls may need more beside them.
void require_memory(const GpuRun& run) {
  std::map<int32_t, int64_t> planned;
  for (size_t i = 0; i < run.job.devices.size(); ++i) {
    const int32_t device = run.job.devices[i];
    planned.try_emplace(device, flush_bytes(run.gpus[device]));
    planned[device] += run.job.program.ranks[run.job.first_rank + i].arena_bytes;
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
            run.job.first_rank, static_cast<int32_t>(run.job.devices.size()), [this] { close(); },
            run.job.options.timeout_seconds),
        reports_(run.job.devices.size()) {
    for (int32_t device : job_.devices) {
      if (flush_.contains(device)) continue;
      set_device(device);
      flush_.emplace(device, static_cast<size_t>(flush_bytes(run.gpus[device])));
      free_before_[device] = free_gpu_bytes();
    }
  }

  std::vector<RankReport> run() {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < reports_.size(); ++i) {
      threads.emplace_back([this, i] { run_thread(static_cast<int32_t>(i)); });
    }
    control_.watch([this] { heed_others(); });
    for (std::thread& thread : threads) thread.join();
    if (elsewhere_) std::rethrow_exception(elsewhere_);
    if (out_of_memory_) throw std::bad_alloc();
    if (const auto failure = control_.failure()) throw ExecutionFailure(*failure);
    return std::move(reports_);
  }

 private:
  void close() {
    closed_ = true;
    run_.transport.close();
  }

  // On the thread that the group belongs to: another process's failure ends this one's ranks.
  void heed_others() {
    if (!job_.group || elsewhere_) return;
    try {
      job_.group->heed();
    } catch (...) {
      elsewhere_ = std::current_exception();
      control_.fail(job_.first_rank, "another process has failed");
    }
  }

  // What `work` throws ends the run.
  void guarded(int32_t rank, const std::function<void()>& work) {
    try {
      work();
    } catch (const TransportClosed&) {  // another rank ended the run
      control_.fail(rank, "the transport was closed");
    } catch (const std::bad_alloc&) {
      out_of_memory_ = true;
      control_.fail(rank, "out of memory");
    } catch (const std::exception& error) {
      control_.fail(rank, error.what());
    }
  }

  void run_thread(int32_t index) {
    const int32_t rank = job_.first_rank + index;
    guarded(rank, [&] {
      set_device(job_.devices[index]);
      GpuRank on_gpu(job_.program, rank, exchanges_, run_.kernel, counting_, control_);
      // The run ends while the rank is still there: its streams are empty only when it has.
      guarded(rank, [&] { run_rank(on_gpu, index); });
    });
    control_.leave();
  }

  // Of the GPU's memory since the run began, by each of its ranks.
  int64_t taken_bytes(int32_t device) const {
    const auto ranks = std::ranges::count(job_.devices, device);
    return std::max<int64_t>(0, free_before_.at(device) - free_gpu_bytes()) / ranks;
  }

  void run_rank(GpuRank& on_gpu, int32_t index) {
    const int32_t rank = job_.first_rank + index;
    const int32_t device = job_.devices[index];
    on_gpu.fill_inputs(job_.options.seed);
    control_.barrier();
    const DeviceArray<std::byte>& flush = flush_.at(device);
    const auto iterate = [&](const auto& issue) {
      on_gpu.begin({flush.data(), flush.size()});
      issue();
      on_gpu.finish([this] { return closed_.load(); });
    };
    RankReport& report = reports_[index];
    const ExecuteOptions& options = job_.options;
    const bool captured = options.graph && run_.transport.can_be_captured();
    for (int32_t i = 0; i < std::max(1, options.warmup); ++i) {
      iterate([&] { on_gpu.issue(); });
      if (i > 0) continue;
      counting_.freeze(rank);  // one iteration
      const CopiedOutputs outputs = on_gpu.outputs();
      add_errors(outputs.view(), job_.reference, report.accuracy);
      report.output_hash = hash_of(outputs.view());
    }
    control_.barrier();  // all ranks have allocated what they will
    report.peak_bytes = taken_bytes(device);
    const Gpu& gpu = run_.gpus[device];
    for (int32_t i = 0; i < options.iterations; ++i) {
      iterate([&] { captured ? on_gpu.issue_captured() : on_gpu.issue(); });
      report.seconds.push_back(on_gpu.seconds());
      const double clock = run_.clocks.sm_hertz(gpu.bus);
      if (clock > 0) report.clock_share.push_back(clock / gpu.clock_hertz);
    }
    for (int32_t i = 0; i < options.iterations; ++i) {
      iterate([&] { on_gpu.issue_traced(); });
      GpuTrace trace = on_gpu.trace();
      report.attention_seconds.push_back(trace.attention_seconds);
      report.overhead_seconds.push_back(trace.overhead_seconds);
      report.events = std::move(trace.events);
    }
    report.peak_bytes = std::max(report.peak_bytes, on_gpu.planned_bytes());
    report.bytes_sent = counting_.bytes_from(rank);
    report.messages = counting_.messages_from(rank);
  }

  const GpuRun& run_;
  const GpuJob& job_;
  Exchanges exchanges_;
  CountingDeviceTransport counting_;
  RunControl control_;
  std::vector<RankReport> reports_;                  // of the ranks of this process
  std::map<int32_t, DeviceArray<std::byte>> flush_;  // by device
  std::map<int32_t, int64_t> free_before_;           // by device
  std::atomic<bool> closed_ = false, out_of_memory_ = false;
  std::exception_ptr elsewhere_;
};

}  // namespace

std::vector<RankReport> run_on_gpus(const GpuRun& run) {
  require_memory(run);
  return Runner(run).run();
}

}  // namespace cpbench
