// A GPU that is not there, for tests: libcudart.so.13 and libnccl.so.2 of our own, preloaded, so
// that the real module runs whole iterations on a CPU. Device memory is host memory, a stream is a
// thread that works off a queue, a kernel is the loop over its body (launch.h).
//
// It is stricter than a GPU where a GPU would only be wrong now and then: every operation of a
// stream may start late, by a seeded chance, so that a missing wait shows as a wrong result; misuse
// that CUDA leaves undefined ends the process with a line that says what it was. README.md has the
// environment variables.
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

// One recording of an event, or the end of what a stream had to do.
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

// What was captured, or is being so. A branch is what one stream contributed.
struct NodeId {
  size_t branch = 0;
  size_t nodes = 0;  // of the branch that come first: done when they are
};
struct Node {
  Task task;
  std::vector<NodeId> after;
};
struct Graph {
  std::vector<std::deque<Node>> branches;  // the first is the origin's
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
  // Runs after all that was pushed before.
  void push(Task task);
  std::shared_ptr<Record> tail();  // done when the queue has been worked off
  bool idle();

  std::shared_ptr<Capture> capture;  // while it is captured
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
  std::weak_ptr<Capture> captured{};  // recorded in a capture, as `node`
  NodeId node{};
};

// stream.cc
Stream* stream_of(cudaStream_t stream);          // misuse if there is no such stream
void submit(cudaStream_t stream, Task task);     // enqueues, or captures
void wait_for_device(int device);                // until all its streams are idle
void start_late();                               // now and then; called before every operation
void forbid_in_host_function(const char* what);  // CUDA must not be called there
bool forbidden_by_capture();  // a capture goes on, and ends invalid: this call breaks it

// memory.cc
// The device whose memory holds these bytes; -1: host memory. Misuse if they are freed or not all
// of one allocation.
int owner_of(const void* data, size_t bytes, const char* what);

// device.cc
int current_device();
int device_count();
size_t memory_limit();
int64_t setting(const char* name, int64_t fallback);  // of the environment
cudaError_t done(cudaError_t code);                   // remembers it for cudaGetLastError

// graph.cc
size_t add_node(Stream& stream, Task task);  // returns the nodes of its branch
void join(Stream& stream, const std::shared_ptr<Capture>& capture, NodeId after);

// kernels.cc
using RunGroups = void (*)(const void* body, int64_t groups);
bool register_kernel(const char* body_type, size_t body_bytes, RunGroups run);

}  // namespace fake_gpu
