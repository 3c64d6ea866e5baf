// Flags that streams set, clear and wait for, in memory of the host that all GPUs of this process
// can reach. They take no SM, and can be captured in CUDA graphs.
//
//   const StreamFlags flags(2);
//   flags.set({0}, sender);        // when the sender's stream gets here
//   flags.wait({0}, receiver);     // the receiver's stream goes on after that, and the flag is
//   clear
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

namespace cpbench {

class StreamFlags {
 public:
  // All flags are clear. Throws UserError if the driver is older than CUDA 12.
  explicit StreamFlags(int64_t count);
  ~StreamFlags();
  StreamFlags(const StreamFlags&) = delete;
  StreamFlags& operator=(const StreamFlags&) = delete;

  void set(const std::vector<int64_t>& flags, cudaStream_t stream) const;
  // Waits until each flag is set, and clears it.
  void wait(const std::vector<int64_t>& flags, cudaStream_t stream) const;
  // Streams that wait, or will wait once more for each flag, go on. May be called from any thread.
  void set_all();

 private:
  using Operations = std::vector<CUstreamBatchMemOpParams>;
  using Enqueue = CUresult(CUstream stream, unsigned count, CUstreamBatchMemOpParams* operations,
                           unsigned flags);
  void write(int64_t flag, cuuint64_t value, Operations& operations) const;
  void enqueue(Operations operations, cudaStream_t stream) const;

  int64_t count_;
  cuuint64_t* values_ = nullptr;
  Enqueue* enqueue_ = nullptr;  // cuStreamBatchMemOp
};

}  // namespace cpbench
