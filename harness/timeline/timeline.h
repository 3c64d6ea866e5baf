// The Timeline: what an interpreter (threads, MPI, GPUs, simulation) observed while it ran one
// pack. Matrices are row-major. An iteration is the whole requested direction: the forward pass, or
// forward and backward. The clocks of all ranks have one origin.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace cpbench {

enum class Activity : uint8_t {
  attention,  // inside a kernel call
  merge,      // adding partial results
  copy,       // packing and unpacking of buffers, gathering of rows
  send,       // handing bytes to the transport, or taking them
  wait,       // waiting for arrivals
  layer,      // work per token around the attention: projections, FFN
  transfer,   // bytes in flight; overlaps with the others, which follow one another on a rank
  host,       // a simulated GPU waits until its host has launched the next operation
};
inline constexpr Activity kLastActivity = Activity::host;

// What of a program takes time. Exchanges that take none move no bytes, but the receiver still
// waits until the sender has something to send. Work is everything else.
enum class Portion : uint8_t { whole, work, exchanges };

struct Event {
  int32_t rank = 0;
  int32_t pass = 0;  // 0 forward, 1 backward
  int32_t step = 0;
  Activity activity = Activity::attention;
  double start_seconds = 0;
  double end_seconds = 0;
};

// The largest absolute error of an element, compared with the single-device reference. `plain_*` is
// that of a single-device run in the same dtype, from which the tolerance follows (bfloat16,
// float32).
struct Accuracy {
  double max_error_output = 0;
  double max_error_gradient = 0;  // dQ, dK, dV; 0 if only forward ran
  double tolerance_output = 0;
  double tolerance_gradient = 0;
  double plain_error_output = 0;
  double plain_error_gradient = 0;
  bool ok() const {  // false for NaN too
    return max_error_output <= tolerance_output && max_error_gradient <= tolerance_gradient;
  }
};

// The times of a program of which only a portion takes time, for the attribution of the whole
// (harness/measure/attribution.h). Matrices are [iterations, ranks].
struct PortionTimes {
  std::vector<double> work_seconds;       // until the rank has ended, if only work takes time:
  std::vector<double> attention_seconds;  // of these, inside kernel calls
  std::vector<double> copy_seconds;       // copies and merges
  std::vector<double> layer_seconds;
  std::vector<double> host_seconds;
  std::vector<double> overhead_seconds;  // as in Timeline
  std::vector<double> exchange_seconds;  // until the rank has ended, if only exchanges take time

  static constexpr auto members() {
    using P = PortionTimes;
    return std::array{&P::work_seconds,    &P::attention_seconds, &P::copy_seconds,
                      &P::layer_seconds,   &P::host_seconds,      &P::overhead_seconds,
                      &P::exchange_seconds};
  }
};

struct Timeline {
  int32_t ranks = 0;
  int32_t iterations = 0;
  std::vector<double> seconds;            // [iterations, ranks], start of iteration to rank's end
  std::vector<double> attention_seconds;  // [iterations, ranks], inside kernel calls
  std::vector<double> overhead_seconds;   // [iterations, ranks], outside kernels, copies, merges,
                                          // sends and waits: the cost of the harness itself
  std::vector<double> clock_share;        // [iterations, ranks], clock of the GPU right after the
                                          // iteration, as a share of its highest; empty: not read
  std::vector<uint8_t> accepted;      // [iterations]: 0 if a GPU's clock was too low; empty: all 1
  std::vector<int64_t> bytes_sent;    // [ranks, ranks] from, to; counted in one iteration
  std::vector<int64_t> messages;      // [ranks, ranks]; counted in one iteration
  std::vector<int64_t> peak_bytes;    // [ranks], of the buffers in use
  std::vector<Event> events;          // of one traced iteration
  PortionTimes portions;              // empty if they were not measured
  std::vector<uint64_t> output_hash;  // [ranks], hash of the bits of O (with log-sum-exp) and the
                                      // gradients; equal if the same arithmetic was executed
  Accuracy accuracy;
};

}  // namespace cpbench
