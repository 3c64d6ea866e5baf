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
        seconds_(devices.size()) {
    int64_t block = 0;
    for (const TimedExchange& exchange : exchanges_) block = std::max(block, exchange.bytes);
    for (int32_t device : devices_) {
      set_device(device);
      // One block to send from, and a block per rank.
      memory_.emplace_back(static_cast<size_t>((ranks() + 1) * block)).fill(0);
    }
  }

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

  // So that no exchange allocates memory, for which it might wait while another rank waits for it.
  void connect() {
    std::vector<RankLinks> links(devices_.size());
    for (const TimedExchange& exchange : exchanges_) {
      for (int32_t rank = 0; rank < ranks(); ++rank) {
        if (exchange.use == LinkUse::shift) {
          links[rank].sends_to.insert(next(rank));
          links[rank].receives_from.insert(before(rank));
        } else {
          links[rank].collectives.push_back(collective(rank, exchange));
        }
      }
    }
    control_.operation_started(0, 0, 0, kEveryRank);
    transport_.connect(links);
  }

  void time(int32_t rank) {
    if (rank == 0) connect();
    set_device(devices_[rank]);
    control_.barrier();
    const Stream stream;
    Gate gate;
    const CudaEvent start(CudaEvent::Kind::time), end(CudaEvent::Kind::time);
    for (size_t i = 0; i < exchanges_.size(); ++i) {
      for (int sample = -kWarmup; sample < kSamples; ++sample) {
        control_.operation_started(rank, 0, static_cast<int32_t>(i), kEveryRank);
        gate.close(stream);
        transport_.barrier(rank, stream);
        start.record(stream);
        enqueue(rank, exchanges_[i], stream);
        end.record(stream);
        gate.open();
        wait_for(rank, end);
        control_.barrier();
        if (sample >= 0) seconds_[rank].push_back(end.seconds_since(start));
      }
    }
  }

  int32_t next(int32_t rank) const { return (rank + 1) % ranks(); }
  int32_t before(int32_t rank) const { return (rank + ranks() - 1) % ranks(); }

  DeviceCollective collective(int32_t rank, const TimedExchange& exchange) const {
    const bool gathers = exchange.use == LinkUse::all_gather;
    return {.kind = gathers ? CollectiveKind::all_gather : CollectiveKind::reduce_scatter,
            .source = memory_[rank].data(),
            .blocks = memory_[rank].data() + exchange.bytes,
            .bytes = exchange.bytes,
            .elements = Dtype::bfloat16};
  }

  void enqueue(int32_t rank, const TimedExchange& exchange, cudaStream_t stream) {
    if (exchange.use != LinkUse::shift) {
      return transport_.collective(rank, collective(rank, exchange), stream);
    }
    std::byte* const memory = memory_[rank].data();
    const DeviceMessage send{memory, exchange.bytes, next(rank), 0};
    const DeviceMessage receive{memory + exchange.bytes, exchange.bytes, before(rank), 0};
    transport_.exchange(rank, {&send, 1}, {&receive, 1}, stream);
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
  std::vector<DeviceArray<std::byte>> memory_;  // by rank
  std::vector<std::vector<double>> seconds_;  // by rank: the samples of one exchange after another
  std::atomic<bool> closed_ = false;
};

}  // namespace

void time_exchanges_between(const std::vector<int32_t>& devices, DeviceTransport& transport,
                            double timeout_seconds, std::span<TimedExchange> exchanges) {
  LinkTimer(devices, transport, timeout_seconds, exchanges).run();
}

}  // namespace cpbench
