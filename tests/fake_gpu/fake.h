// A fake GPU for tests: this folder builds a libcudart.so.13, a libnccl.so.2, a libcublas.so.13 and
// a libnvidia-ml.so.1, which are preloaded so that the real module runs complete iterations on a
// CPU. Device memory is host memory, a stream is a thread with a queue, and a kernel is a loop over
// its body (launch.h).
//
// The fake GPU also finds errors that show only sometimes on a real one. Each operation of a stream
// starts late with a seeded probability, so a missing wait shows as a wrong result. Misuse that is
// undefined in CUDA ends the process with a message. README.md lists the environment variables.
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fake_gpu {

[[noreturn]] void misuse(const std::string& what);

using Task = std::function<void()>;

// One recording of an event, or the end of a stream's queue.
class Record {
 public:
  void complete() {
    at_ = std::chrono::steady_clock::now();
    done_ = true;
    done_.notify_all();
  }
  void wait() const { done_.wait(false); }
  bool done() const { return done_; }
  std::chrono::steady_clock::time_point at() const { return at_; }

 private:
  std::chrono::steady_clock::time_point at_;
  std::atomic<bool> done_ = false;
};

// A captured graph. Each stream that takes part in the capture contributes a branch.
struct NodeId {
  size_t branch = 0;
  size_t nodes = 0;  // the node is done when this many nodes of the branch are done
};
struct Node {
  Task task;
  std::vector<NodeId> after;
};
struct Graph {
  std::vector<std::deque<Node>> branches;  // the first is that of the stream that began the capture
};

class Stream;

struct Capture {
  Graph graph;
  std::vector<Stream*> streams;  // of each branch
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool invalid = false;
};

class Stream {
 public:
  Stream(int device, unsigned flags, uint64_t number);
  ~Stream();

  int device() const { return device_; }
  bool blocking() const { return flags_ != cudaStreamNonBlocking; }
  // Runs the task after all that were pushed before.
  void push(Task task);
  std::shared_ptr<Record> tail();  // done when all tasks pushed so far are done
  bool idle();

  std::shared_ptr<Capture> capture;  // while the stream is captured
  size_t branch = 0;

 private:
  void work(uint64_t seed);

  const int device_;
  const unsigned flags_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool busy_ = false;
  bool over_ = false;
  std::shared_ptr<std::atomic<bool>> gone_;
};

struct Event {
  int device = 0;
  unsigned flags = 0;
  std::shared_ptr<Record> last{};     // null: never recorded
  std::weak_ptr<Capture> captured{};  // the capture in which it was recorded, as `node`
  NodeId node{};
};

// stream.cc
Stream* stream_of(cudaStream_t stream);          // misuse if there is no such stream
void submit(cudaStream_t stream, Task task);     // enqueues the task, or captures it
void wait_for_device(int device);                // until all its streams are idle
void start_late();                               // sleeps sometimes; called before each operation
void forbid_in_host_function(const char* what);  // misuse if CUDA is called in a host function
bool forbidden_by_capture();  // whether a capture forbids this call, which makes the capture
                              // invalid

// memory.cc
// The device whose memory holds these bytes; -1 for host memory. Misuse if they were freed or are
// not all in one allocation.
int owner_of(const void* data, size_t bytes, const char* what);
void take_memory(int device, size_t bytes);  // that a library keeps

// device.cc
int current_device();
int device_count();
size_t memory_limit();
int64_t setting(const char* name, int64_t fallback);  // an environment variable
cudaError_t done(cudaError_t code);                   // remembers it for cudaGetLastError

// graph.cc
size_t add_node(Stream& stream, Task task);  // returns the number of nodes in the stream's branch
void join(Stream& stream, const std::shared_ptr<Capture>& capture, NodeId after);

// kernels.cc
using RunGroups = void (*)(const void* body, int64_t groups);
bool register_kernel(const char* body_type, size_t body_bytes, RunGroups run);

}  // namespace fake_gpu
