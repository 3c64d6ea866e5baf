#include "harness/execute_cuda/link_timing.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "harness/execute/median.h"
#include "harness/execute/run_control.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/gate.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {
namespace {

constexpr int kWarmup = 3;
constexpr int kSamples = 11;
constexpr std::chrono::microseconds kPause{20};
constexpr int kPausesPerCheck = 50;

class LinkTimer {
 public:
  LinkTimer(const std::vector<int32_t>& devices, DeviceTransport& transport, double timeout_seconds,
            std::span<TimedExchange> exchanges)
      : devices_(devices),
        transport_(transport),
        exchanges_(exchanges),
        control_(
            0, ranks(), [this] { close(); }, timeout_seconds),
        seconds_(devices.size()) {}

  void run() {
    try {
      control_.run_ranks([this](int32_t rank) { time(rank); });
    } catch (const ExecutionFailure& failure) {
      throw ExecutionFailure(std::string("while links were timed: ") + failure.what());
    }
    for (size_t i = 0; i < exchanges_.size(); ++i) {
      std::vector<double> slowest(kSamples);
      for (const std::vector<double>& own : seconds_) {
        for (size_t s = 0; s < kSamples; ++s) {
          slowest[s] = std::max(slowest[s], own[i * kSamples + s]);
        }
      }
      exchanges_[i].seconds = median_of(std::move(slowest));
    }
  }

 private:
  int32_t ranks() const { return static_cast<int32_t>(devices_.size()); }

  void close() {
    closed_ = true;
    transport_.close();
  }

  void time(int32_t rank) {
    set_device(devices_[rank]);
    const Stream stream;
    Gate gate;
    const CudaEvent start(CudaEvent::Kind::time), end(CudaEvent::Kind::time);
    int64_t block = 0;
    for (const TimedExchange& exchange : exchanges_) block = std::max(block, exchange.bytes);
    // One block to send from, and a block per rank.
    DeviceArray<std::byte> memory(static_cast<size_t>((ranks() + 1) * block));
    memory.fill(0);
    for (size_t i = 0; i < exchanges_.size(); ++i) {
      for (int sample = -kWarmup; sample < kSamples; ++sample) {
        control_.operation_started(rank, 0, static_cast<int32_t>(i), kEveryRank);
        gate.close(stream);
        transport_.barrier(rank, stream);
        start.record(stream);
        enqueue(rank, exchanges_[i], memory.data(), stream);
        end.record(stream);
        gate.open();
        wait_for(rank, end);
        control_.barrier();
        if (sample >= 0) seconds_[rank].push_back(end.seconds_since(start));
      }
    }
  }

  void enqueue(int32_t rank, const TimedExchange& exchange, std::byte* memory,
               cudaStream_t stream) {
    std::byte* const source = memory;
    std::byte* const blocks = memory + exchange.bytes;
    if (exchange.use == LinkUse::shift) {
      const int32_t next = (rank + 1) % ranks(), before = (rank + ranks() - 1) % ranks();
      const DeviceMessage send{source, exchange.bytes, next, 0};
      const DeviceMessage receive{blocks, exchange.bytes, before, 0};
      transport_.exchange(rank, {&send, 1}, {&receive, 1}, stream);
      return;
    }
    const bool gathers = exchange.use == LinkUse::all_gather;
    transport_.collective(
        rank,
        {.kind = gathers ? CollectiveKind::all_gather : CollectiveKind::reduce_scatter,
         .source = source,
         .blocks = blocks,
         .bytes = exchange.bytes,
         .elements = Dtype::bfloat16},
        stream);
  }

  void wait_for(int32_t rank, const CudaEvent& end) {
    for (int pauses = 0; !end.done(); ++pauses) {
      if (closed_) throw TransportClosed();
      if (pauses % kPausesPerCheck == 0) transport_.check(rank);
      std::this_thread::sleep_for(kPause);
    }
  }

  const std::vector<int32_t>& devices_;
  DeviceTransport& transport_;
  std::span<TimedExchange> exchanges_;
  RunControl control_;
  std::vector<std::vector<double>> seconds_;  // by rank: the samples of one exchange after another
  std::atomic<bool> closed_ = false;
};

}  // namespace

void time_exchanges_between(const std::vector<int32_t>& devices, DeviceTransport& transport,
                            double timeout_seconds, std::span<TimedExchange> exchanges) {
  LinkTimer(devices, transport, timeout_seconds, exchanges).run();
}

}  // namespace cpbench
