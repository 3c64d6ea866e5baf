// Runs the program of one rank on a GPU, on two streams. On a thread of its own, which has made the
// GPU current.
//
//   rank.begin(flush);      // behind a barrier of all ranks the time of an iteration begins
//   rank.issue();           // enqueues its operations
//   rank.finish(ended);     // waits until they are done
//   rank.seconds();
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/stream_order.h"
#include "harness/execute/run_control.h"
#include "harness/execute_cuda/device_transport.h"
#include "harness/execute_cuda/gpu_program.h"
#include "harness/execute_cuda/stream.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

// What one traced iteration of a rank looked like; seconds from its beginning.
struct GpuTrace {
  double attention_seconds = 0;
  double overhead_seconds = 0;  // of the computing stream, in no operation and without a reason
  std::vector<Event> events;
};

class GpuRank {
 public:
  GpuRank(const Program& program, int32_t rank, const Exchanges& exchanges, const GpuKernel& kernel,
          DeviceTransport& transport, RankPlaces& places);
  ~GpuRank();

  void fill_inputs(uint64_t seed);

  // `flush`: memory that is written first, so that the L2 cache holds nothing else.
  void begin(std::span<std::byte> flush);
  void issue();
  void issue_traced();    // with events around each operation
  void issue_captured();  // as one CUDA graph, made the first time
  // Tells the places where the GPU is. Throws TransportClosed once `ended` says so, and what CUDA
  // or the transport's library reports.
  void finish(const std::function<bool()>& ended);

  double seconds() const { return end_.seconds_since(start_); }  // of the finished iteration
  GpuTrace trace() const;                                        // of the finished traced one
  CopiedOutputs outputs() const { return {mine_, program_}; }
  int64_t planned_bytes() const { return program_.planned_bytes(); }

 private:
  class Graph;
  struct Messages {
    std::vector<DeviceMessage> sends, receives;
    std::vector<DeviceCollective> collectives;
    int32_t item = 0;          // of the order
    int32_t waiting_for = -1;  // the first rank that it receives from, or kEveryRank
  };
  struct Marks {
    CudaEvent start{CudaEvent::Kind::time}, end{CudaEvent::Kind::time};
  };

  DeviceCollective collective_at(int32_t index) const;  // in RankProgram::collectives
  void issue_items(bool traced);
  void name_step(const StreamItem& item);
  void run(const StreamItem& item, cudaStream_t stream);
  void follow();
  void tell(const StreamItem& item, int32_t waiting_for);
  Event event_of(const StreamItem& item, Activity activity, double start, double end) const;

  const RankProgram& mine_;
  int32_t rank_;
  DeviceTransport& transport_;
  RankPlaces& places_;
  StreamOrder order_;
  GpuProgram program_;
  std::vector<Messages> messages_;  // by exchange of the order
  Stream computing_, exchanging_{Stream::Urgency::first};
  CudaEvent start_{CudaEvent::Kind::time}, end_{CudaEvent::Kind::time};
  CudaEvent fork_, join_;
  std::vector<std::unique_ptr<CudaEvent>> done_;  // by item: of exchanges and what is waited for
  std::vector<Marks> marks_;                      // by item, once traced
  std::unique_ptr<Graph> graph_;
  std::vector<std::string> step_names_;  // by step of the program
  int32_t named_step_ = -1;              // whose range of the profiler is open
  size_t exchanged_ = 0;                 // exchanges of this iteration that are known to be done
};

}  // namespace cpbench
