// Captures streams into a graph and replays it. Each stream that takes part is a branch of the
// graph. In a replay each branch runs in a thread of its own and waits for others where its stream
// did.
#include <map>
#include <thread>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

std::mutex capture_mutex;
std::map<Capture*, std::thread::id> captures;  // open captures, and the threads that began them

struct Executable {
  std::mutex mutex;  // two launches of a graph do not run at the same time
  Graph graph;
};

void run(Executable& executable) {
  const std::lock_guard lock(executable.mutex);
  const auto& branches = executable.graph.branches;
  std::vector<std::atomic<size_t>> done_nodes(branches.size());
  const auto run_branch = [&](size_t number) {
    for (const Node& node : branches[number]) {
      for (const NodeId& before : node.after) {
        auto& count = done_nodes[before.branch];
        for (size_t now = count; now < before.nodes; now = count) count.wait(now);
      }
      start_late();
      if (node.task) node.task();
      ++done_nodes[number];
      done_nodes[number].notify_all();
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < branches.size(); ++i) others.emplace_back(run_branch, i);
  run_branch(0);
  for (std::thread& other : others) other.join();
}

// Marks the nodes that are done once the first `nodes` nodes of a branch are done.
void reach(const Graph& graph, NodeId to, std::vector<size_t>& reached) {
  while (reached[to.branch] < to.nodes) {
    const Node& node = graph.branches[to.branch][reached[to.branch]++];
    for (const NodeId& before : node.after) reach(graph, before, reached);
  }
}

// Whether the end of the first branch waits for all tasks of the other branches.
bool joined(const Graph& graph) {
  std::vector<size_t> reached(graph.branches.size());
  reach(graph, {0, graph.branches[0].size()}, reached);
  for (size_t i = 0; i < reached.size(); ++i) {
    for (size_t n = reached[i]; n < graph.branches[i].size(); ++n) {
      if (graph.branches[i][n].task) return false;
    }
  }
  return true;
}

}  // namespace

size_t add_node(Stream& stream, Task task) {
  auto& branch = stream.capture->graph.branches[stream.branch];
  branch.push_back({std::move(task), {}});
  return branch.size();
}

void join(Stream& stream, const std::shared_ptr<Capture>& capture, NodeId after) {
  if (!stream.capture) {
    stream.capture = capture;
    stream.branch = capture->streams.size();
    capture->streams.push_back(&stream);
    capture->graph.branches.emplace_back();
  }
  add_node(stream, nullptr);
  capture->graph.branches[stream.branch].back().after.push_back(after);
}

bool forbidden_by_capture() {
  const std::lock_guard lock(capture_mutex);
  for (const auto& [capture, thread] : captures) {
    const bool own = thread == std::this_thread::get_id();
    if ((own && capture->mode != cudaStreamCaptureModeRelaxed) ||
        capture->mode == cudaStreamCaptureModeGlobal) {
      capture->invalid = true;
      return true;
    }
  }
  return false;
}

}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  if (handle == nullptr) return done(cudaErrorStreamCaptureUnsupported);
  Stream* stream = stream_of(handle);
  if (stream->capture) return done(cudaErrorIllegalState);
  auto capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->streams = {stream};
  capture->graph.branches.resize(1);
  stream->capture = capture;
  stream->branch = 0;
  const std::lock_guard lock(capture_mutex);
  captures[capture.get()] = std::this_thread::get_id();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  *graph = nullptr;
  Stream* stream = stream_of(handle);
  const std::shared_ptr<Capture> capture = stream->capture;
  if (!capture) return done(cudaErrorIllegalState);
  if (stream != capture->streams[0]) return done(cudaErrorStreamCaptureUnmatched);
  {
    const std::lock_guard lock(capture_mutex);
    if (capture->mode != cudaStreamCaptureModeRelaxed &&
        captures[capture.get()] != std::this_thread::get_id()) {
      return done(cudaErrorStreamCaptureWrongThread);
    }
    captures.erase(capture.get());
  }
  for (Stream* each : capture->streams) each->capture = nullptr;
  if (capture->invalid) return done(cudaErrorStreamCaptureInvalidated);
  if (!joined(capture->graph)) return done(cudaErrorStreamCaptureUnjoined);
  *graph = reinterpret_cast<cudaGraph_t>(new Graph(capture->graph));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const std::shared_ptr<Capture> capture = stream_of(handle)->capture;
  *status = cudaStreamCaptureStatusNone;
  if (capture) {
    *status = capture->invalid ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* handle, cudaGraph_t graph, unsigned long long) {
  auto* executable = new std::shared_ptr<Executable>(std::make_shared<Executable>());
  (*executable)->graph = *reinterpret_cast<Graph*>(graph);
  *handle = reinterpret_cast<cudaGraphExec_t>(executable);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
  if (stream_of(stream)->capture) misuse("a graph is launched into a capture");
  submit(stream, [executable = *reinterpret_cast<std::shared_ptr<Executable>*>(handle)] {
    run(*executable);
  });
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  delete reinterpret_cast<std::shared_ptr<Executable>*>(handle);
  return cudaSuccess;
}

}  // extern "C"
