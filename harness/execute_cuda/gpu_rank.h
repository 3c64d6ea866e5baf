// Runs the program of one rank on a GPU, on one stream for computation and one for exchanges. Each
// rank needs a thread of its own, whose current GPU is the rank's.
//
//   rank.begin(flush);      // the time of the iteration starts at a barrier of all ranks
//   rank.issue();           // enqueues the operations, and then lets the GPU begin
//   rank.finish(ended);     // waits until they are done
//   rank.seconds();
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/stream_order.h"
#include "harness/execute/run_control.h"
#include "harness/execute_cuda/device_transport.h"
#include "harness/execute_cuda/gate.h"
#include "harness/execute_cuda/gpu_program.h"
#include "harness/execute_cuda/stream.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

// The trace of one iteration of a rank. Times of events are from the start of the iteration.
struct GpuTrace {
  double attention_seconds = 0;
  double overhead_seconds = 0;  // gaps between operations on the compute stream
  std::vector<Event> events;
};

class GpuRank {
 public:
  // Binds all calls, and reports each as progress.
  GpuRank(const Program& program, int32_t rank, const Exchanges& exchanges, const GpuKernel& kernel,
          DeviceTransport& transport, ProgressListener& listener);
  ~GpuRank();

  void warm_up();                   // runs all operations but exchanges
  void fill_inputs(uint64_t seed);  // all other memory is NaN
  RankLinks links() const;

  // Writes `flush` first, so that the L2 cache holds nothing else.
  void begin(std::span<std::byte> flush);
  void issue(Portion portion = Portion::whole);
  void issue_traced(Portion portion = Portion::whole);  // with events around each operation
  void capture();                                       // makes the CUDA graph of an iteration
  void issue_captured();                                // as that graph
  // Waits for the end of the iteration and reports progress meanwhile. Throws TransportClosed once
  // `ended` returns true, and errors of CUDA and of the transport's library.
  void finish(const std::function<bool()>& ended);

  double seconds() const { return end_.seconds_since(start_); }  // of the last iteration
  GpuTrace trace() const;                                        // of the last traced iteration
  CopiedOutputs outputs() const { return {mine_, program_}; }
  int64_t planned_bytes() const { return program_.planned_bytes(); }

 private:
  class Graph;
  struct Messages {
    std::vector<DeviceMessage> sends, receives;
    std::vector<DeviceCollective> collectives;
    int32_t item = 0;          // in order_.items
    int32_t waiting_for = -1;  // the first rank from which it receives, or kEveryRank
  };
  struct Marks {
    CudaEvent start{CudaEvent::Kind::time}, end{CudaEvent::Kind::time};
  };

  DeviceCollective collective_at(int32_t index) const;  // `index` in RankProgram::collectives
  void issue_items(bool traced, Portion portion);
  void end_issue();
  void name_step(const StreamItem& item);
  void place_layer();
  // What the layer around the attention computes on either side of a pass.
  enum Side : uint8_t { before, after };
  void run_layer(int32_t pass, Side side, bool traced);
  void turn(bool traced);  // from the forward to the backward pass
  void run(const StreamItem& item, Portion portion, cudaStream_t stream);
  void exchange(const StreamItem& item, Portion portion, cudaStream_t stream);
  void track_exchanges();
  void report_position(const StreamItem& item, int32_t waiting_for);
  Event event_of(const StreamItem& item, Activity activity, double start, double end) const;

  const RankProgram& mine_;
  int32_t last_pass_;
  int32_t rank_;
  DeviceTransport& transport_;
  ProgressListener& listener_;
  StreamOrder order_;
  GpuProgram program_;
  std::vector<Messages> messages_;   // by exchange in order_
  std::vector<Messages> few_bytes_;  // the same, if exchanges take no time
  Stream compute_stream_, exchange_stream_{Stream::Priority::high};
  CudaEvent start_{CudaEvent::Kind::time}, end_{CudaEvent::Kind::time};
  CudaEvent fork_, join_;
  Gate gate_;                                     // before the barrier that begins an iteration
  std::vector<std::unique_ptr<CudaEvent>> done_;  // by item; null if nothing waits for the item
  std::vector<Marks> marks_;                      // by item
  // Of the layer around the attention: by pass, before and after.
  std::array<std::array<Marks, 2>, 2> layer_marks_;
  size_t turn_ = 0;             // the first item that computes in the backward pass
  int32_t last_exchange_ = -1;  // the item of the forward pass's last exchange
  std::unique_ptr<Graph> graph_;
  std::vector<std::string> step_names_;  // by step of the program
  int32_t named_step_ = -1;              // the step whose profiler range is open
  size_t exchanged_ = 0;                 // exchanges of this iteration that are done
};

}  // namespace cpbench
