// A gate in a stream. What is enqueued behind it waits until the host has enqueued everything, so
// times of short operations are those of the GPU and not of launches.
//
//   gate.close(stream);
//   start.record(stream);
//   call->launch(stream, workspace);
//   end.record(stream);
//   gate.open();
//
// While the gate is closed the host must only enqueue, at most kMostGated operations. If it waits
// for the GPU nevertheless, the gate opens by itself after a second.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace cpbench {

// An operation may launch a dozen kernels, and the host blocks once about a thousand launches wait.
inline constexpr int32_t kMostGated = 64;

class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void close(cudaStream_t stream);  // enqueues a kernel of one thread that waits
  void open();                      // does nothing if the gate is open

 private:
  uint32_t* opened_ = nullptr;  // how often it was opened, in memory of the host that GPUs can read
  uint32_t closed_ = 0;         // how often it was closed
};

}  // namespace cpbench
