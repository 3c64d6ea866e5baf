// Streams and events. A stream is a thread with a queue, and waiting for an event is an operation
// in it.
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

thread_local std::mt19937_64 chance;
thread_local bool in_host_function = false;

struct Streams {
  std::mutex mutex;
  std::set<Stream*> all;
  std::map<int, Stream*> legacy;  // by device
  std::set<Event*> events;
  uint64_t created = 0;
};

Streams& streams() {
  static auto* const all = new Streams;  // must outlive the threads of streams
  return *all;
}

Stream* legacy_stream(int device) {
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  Stream*& stream = s.legacy[device];
  if (stream == nullptr) {
    stream = new Stream(device, cudaStreamDefault, ++s.created);
    s.all.insert(stream);
  }
  return stream;
}

std::vector<Stream*> streams_of(int device) {
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  std::vector<Stream*> own;
  for (Stream* stream : s.all) {
    if (stream->device() == device) own.push_back(stream);
  }
  return own;
}

Event* event_of(cudaEvent_t handle) {
  auto* event = reinterpret_cast<Event*>(handle);
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  if (!s.events.contains(event)) misuse("an event does not exist, or was destroyed");
  return event;
}

void wait_after(Stream& later, Stream& earlier) {
  if (&later == &earlier || earlier.idle()) return;
  later.push([record = earlier.tail()] { record->wait(); });
}

// The legacy stream waits for all blocking streams, and these wait for it.
void order_with_legacy(Stream& stream) {
  if (!stream.blocking()) return;
  Stream* legacy = legacy_stream(stream.device());
  if (&stream != legacy) return wait_after(stream, *legacy);
  for (Stream* other : streams_of(stream.device())) {
    if (other->blocking() && other->capture == nullptr) wait_after(stream, *other);
  }
}

}  // namespace

void start_late() {
  switch (chance() % 8) {
    case 0:
      std::this_thread::sleep_for(
          std::chrono::microseconds(chance() % (setting("FAKE_GPU_DELAY_US", 200) + 1)));
      break;
    case 1:
    case 2:
    case 3:
      std::this_thread::yield();
      break;
    default:
      break;
  }
}

void forbid_in_host_function(const char* what) {
  if (in_host_function) misuse(std::string(what) + " is called in a host function");
}

Stream::Stream(int device, unsigned flags, uint64_t number)
    : device_(device), flags_(flags), gone_(std::make_shared<std::atomic<bool>>(false)) {
  const uint64_t seed = static_cast<uint64_t>(setting("FAKE_GPU_SEED", 1)) * 1000003 + number;
  std::thread([this, seed, gone = gone_] {
    work(seed);
    *gone = true;
    gone->notify_all();
  }).detach();
}

// Tasks that were enqueued still run.
Stream::~Stream() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  gone_->wait(false);
}

void Stream::work(uint64_t seed) {
  chance.seed(seed);
  std::unique_lock lock(mutex_);
  while (true) {
    busy_ = false;
    changed_.wait(lock, [&] { return over_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Task task = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    start_late();
    task();
    lock.lock();
  }
}

void Stream::push(Task task) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  changed_.notify_all();
}

std::shared_ptr<Record> Stream::tail() {
  auto record = std::make_shared<Record>();
  push([record] { record->complete(); });
  return record;
}

bool Stream::idle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && !busy_;
}

Stream* stream_of(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) return legacy_stream(current_device());
  auto* stream = reinterpret_cast<Stream*>(handle);
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  if (!s.all.contains(stream)) misuse("a stream does not exist, or was destroyed");
  return stream;
}

void submit(cudaStream_t handle, Task task) {
  Stream& stream = *stream_of(handle);
  if (stream.capture) {
    add_node(stream, std::move(task));
    return;
  }
  order_with_legacy(stream);
  stream.push(std::move(task));
}

void wait_for_device(int device) {
  for (Stream* stream : streams_of(device)) {
    if (!stream->idle()) stream->tail()->wait();
  }
}

}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned flags, int) {
  forbid_in_host_function("cudaStreamCreate");
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  auto* stream = new Stream(current_device(), flags, ++s.created);
  s.all.insert(stream);
  *handle = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
  return cudaStreamCreateWithPriority(handle, flags, 0);
}

cudaError_t cudaStreamCreate(cudaStream_t* handle) {
  return cudaStreamCreateWithPriority(handle, cudaStreamDefault, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  Stream* stream = stream_of(handle);
  if (handle == nullptr || stream->capture) return done(cudaErrorInvalidResourceHandle);
  {
    Streams& s = streams();
    const std::lock_guard lock(s.mutex);
    s.all.erase(stream);
  }
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  forbid_in_host_function("cudaStreamSynchronize");
  Stream* stream = stream_of(handle);
  if (stream->capture) {
    stream->capture->invalid = true;
    return done(cudaErrorStreamCaptureUnsupported);
  }
  if (!stream->idle()) stream->tail()->wait();
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  Stream* stream = stream_of(handle);
  if (stream->capture) {
    stream->capture->invalid = true;
    return done(cudaErrorStreamCaptureUnsupported);
  }
  return stream->idle() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  forbid_in_host_function("cudaDeviceSynchronize");
  if (forbidden_by_capture()) {
    return done(cudaErrorStreamCaptureUnsupported);
  }
  if (device_count() > 0) wait_for_device(current_device());
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  submit(handle, [=] {
    in_host_function = true;
    function(data);
    in_host_function = false;
  });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  auto* event = new Event{.device = current_device(), .flags = flags};
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  s.events.insert(event);
  *handle = reinterpret_cast<cudaEvent_t>(event);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  Event* event = event_of(handle);
  Streams& s = streams();
  const std::lock_guard lock(s.mutex);
  s.events.erase(event);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream_handle,
                                     unsigned flags) {
  Event* event = event_of(handle);
  Stream* stream = stream_of(stream_handle);
  if (event->device != stream->device()) return done(cudaErrorInvalidResourceHandle);
  if (stream->capture && flags == cudaEventRecordExternal) {
    add_node(*stream, [handle] {
      auto record = std::make_shared<Record>();
      record->complete();
      Event* recorded = event_of(handle);
      const std::lock_guard lock(streams().mutex);
      recorded->last = record;
    });
    return cudaSuccess;
  }
  if (stream->capture) {
    event->captured = stream->capture;
    event->node = {stream->branch, stream->capture->graph.branches[stream->branch].size()};
    return cudaSuccess;
  }
  auto record = std::make_shared<Record>();
  {
    const std::lock_guard lock(streams().mutex);
    event->last = record;
    event->captured.reset();
  }
  submit(stream_handle, [record] { record->complete(); });
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  return cudaEventRecordWithFlags(handle, stream, cudaEventRecordDefault);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned flags) {
  Event* event = event_of(handle);
  Stream* stream = stream_of(stream_handle);
  if (stream->capture && flags == cudaEventWaitExternal) {
    add_node(*stream, [handle] {
      std::shared_ptr<Record> record;
      Event* awaited = event_of(handle);
      {
        const std::lock_guard lock(streams().mutex);
        record = awaited->last;
      }
      if (record) record->wait();
    });
    return cudaSuccess;
  }
  const std::shared_ptr<Capture> captured = event->captured.lock();
  if (captured) {
    if (stream->capture && stream->capture != captured) {
      captured->invalid = stream->capture->invalid = true;
      return done(cudaErrorStreamCaptureMerge);
    }
    join(*stream, captured, event->node);
    return cudaSuccess;
  }
  if (stream->capture) {  // a replay could not wait for an event outside of the capture
    stream->capture->invalid = true;
    return done(cudaErrorStreamCaptureIsolation);
  }
  std::shared_ptr<Record> record;
  {
    const std::lock_guard lock(streams().mutex);
    record = event->last;
  }
  if (record) submit(stream_handle, [record] { record->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  forbid_in_host_function("cudaEventSynchronize");
  const Event* event = event_of(handle);
  if (event->captured.lock()) return done(cudaErrorCapturedEvent);
  std::shared_ptr<Record> record;
  {
    const std::lock_guard lock(streams().mutex);
    record = event->last;
  }
  if (record) record->wait();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const Event* event = event_of(handle);
  if (event->captured.lock()) return done(cudaErrorCapturedEvent);
  const std::lock_guard lock(streams().mutex);
  return !event->last || event->last->done() ? cudaSuccess : done(cudaErrorNotReady);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Event* a = event_of(start);
  const Event* b = event_of(end);
  const std::lock_guard lock(streams().mutex);
  if (((a->flags | b->flags) & cudaEventDisableTiming) != 0 || !a->last || !b->last) {
    return done(cudaErrorInvalidResourceHandle);
  }
  if (!a->last->done() || !b->last->done()) return done(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(b->last->at() - a->last->at()).count();
  return cudaSuccess;
}

}  // extern "C"
