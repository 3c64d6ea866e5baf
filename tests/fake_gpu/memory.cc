// Device memory is host memory. Every bit is one at first, and freed addresses are never used
// again.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 256;

struct Block {
  size_t bytes = 0;
  int device = 0;
  bool freed = false;
};

struct Memory {
  std::mutex mutex;
  std::map<uintptr_t, Block> blocks;  // by address
  std::map<int, size_t> used;         // by device
};

Memory& memory() {
  static auto* const all = new Memory;  // must outlive the threads of streams
  return *all;
}

uintptr_t number(const void* data) { return reinterpret_cast<uintptr_t>(data); }

std::optional<std::pair<uintptr_t, Block>> block_at(const void* data) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  auto next = all.blocks.upper_bound(number(data));
  if (next == all.blocks.begin()) return std::nullopt;
  --next;
  if (number(data) >= next->first + std::max<size_t>(next->second.bytes, 1)) return std::nullopt;
  return *next;
}

size_t limit_of(int device) { return device == setting("FAKE_GPU_FULL", -1) ? 0 : memory_limit(); }

size_t up_to(size_t unit, size_t bytes) { return (bytes + unit - 1) / unit * unit; }
size_t pages(size_t bytes) { return up_to(kPage, bytes); }

bool fits(cudaMemcpyKind kind, int to, int from) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return to < 0 && from < 0;
    case cudaMemcpyHostToDevice:
      return to >= 0 && from < 0;
    case cudaMemcpyDeviceToHost:
      return to < 0 && from >= 0;
    case cudaMemcpyDeviceToDevice:
      return to >= 0 && from >= 0;
    default:
      return true;
  }
}

void check_copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (!fits(kind, owner_of(to, bytes, "a copy's target"),
            owner_of(from, bytes, "a copy's source"))) {
    misuse("the direction of a copy does not match its addresses");
  }
}

bool on_host(const void* data) { return !block_at(data); }

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t stream) {
  forbid_in_host_function("a copy");
  if (bytes == 0) return cudaSuccess;
  check_copy(to, from, bytes, kind);
  const bool captured = stream_of(stream)->capture != nullptr;
  if (on_host(from) && !captured) {  // read before the call returns
    auto staged = std::make_shared<std::vector<std::byte>>(bytes);
    std::memcpy(staged->data(), from, bytes);
    submit(stream, [=] {
      owner_of(to, bytes, "a copy's target");
      std::memcpy(to, staged->data(), bytes);
    });
  } else {
    submit(stream, [=] {
      check_copy(to, from, bytes, kind);
      std::memmove(to, from, bytes);
    });
  }
  if (on_host(to) && !captured) stream_of(stream)->tail()->wait();
  return cudaSuccess;
}

}  // namespace

int owner_of(const void* data, size_t bytes, const char* what) {
  const auto found = block_at(data);
  if (!found) return -1;
  const auto& [begin, block] = *found;
  if (block.freed) misuse(std::string(what) + " is in memory that was freed");
  if (number(data) + bytes > begin + block.bytes) {
    misuse(std::string(what) + " runs " +
           std::to_string(number(data) + bytes - begin - block.bytes) +
           " bytes beyond the end of its allocation");
  }
  return block.device;
}

void take_memory(int device, size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  memory().used[device] += bytes;
}

}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

cudaError_t cudaMalloc(void** data, size_t bytes) {
  forbid_in_host_function("cudaMalloc");
  if (forbidden_by_capture()) return done(cudaErrorStreamCaptureUnsupported);
  *data = nullptr;
  if (bytes == 0) return cudaSuccess;
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  const int device = current_device();
  if (all.used[device] + bytes > limit_of(device)) return done(cudaErrorMemoryAllocation);
  // The block ends at the end of a page. It is followed by a protected page, so that accesses
  // beyond the end fail.
  void* first = mmap(nullptr, pages(bytes) + kPage, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (first == MAP_FAILED) return done(cudaErrorMemoryAllocation);
  mprotect(first, pages(bytes), PROT_READ | PROT_WRITE);
  void* at = static_cast<std::byte*>(first) + pages(bytes) - up_to(kAlignment, bytes);
  std::memset(at, 0xff, bytes);
  all.blocks[number(at)] = {bytes, device, false};
  all.used[device] += bytes;
  *data = at;
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  forbid_in_host_function("cudaFree");
  if (data == nullptr) return cudaSuccess;
  const auto found = block_at(data);
  if (!found || found->first != number(data)) misuse("cudaFree of memory of another allocator");
  if (found->second.freed) misuse("cudaFree of memory that was already freed");
  if (forbidden_by_capture()) return done(cudaErrorStreamCaptureUnsupported);
  wait_for_device(found->second.device);
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  Block& block = all.blocks[number(data)];
  block.freed = true;
  all.used[block.device] -= block.bytes;
  // The addresses stay reserved and protected, so that later accesses fail.
  mmap(reinterpret_cast<void*>(number(data) / kPage * kPage), pages(block.bytes), PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** data, size_t bytes, unsigned) {
  if (forbidden_by_capture()) return done(cudaErrorStreamCaptureUnsupported);
  *data = std::aligned_alloc(kPage, pages(bytes));
  return done(*data != nullptr ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* data) {
  forbid_in_host_function("cudaFreeHost");
  for (int device = 0; device < device_count(); ++device) wait_for_device(device);
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  *total = memory_limit();
  *free_bytes = limit_of(current_device()) - all.used[current_device()];
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return copy(to, from, bytes, kind, stream);
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (forbidden_by_capture()) return done(cudaErrorStreamCaptureUnsupported);
  const cudaError_t code = copy(to, from, bytes, kind, nullptr);
  // A copy to device memory may return before the bytes have arrived.
  if (code == cudaSuccess && bytes > 0 && on_host(to)) stream_of(nullptr)->tail()->wait();
  return code;
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device,
                                size_t bytes, cudaStream_t stream) {
  if (bytes > 0 && (owner_of(to, bytes, "a copy's target") != to_device ||
                    owner_of(from, bytes, "a copy's source") != from_device)) {
    misuse("cudaMemcpyPeerAsync between devices that do not hold these addresses");
  }
  return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaMemsetAsync(void* data, int value, size_t bytes, cudaStream_t stream) {
  forbid_in_host_function("cudaMemset");
  if (bytes == 0) return cudaSuccess;
  const auto check = [=] {
    if (owner_of(data, bytes, "cudaMemset's target") < 0) misuse("cudaMemset of host memory");
  };
  check();
  submit(stream, [=] {
    check();
    std::memset(data, value, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaMemset(void* data, int value, size_t bytes) {
  if (forbidden_by_capture()) return done(cudaErrorStreamCaptureUnsupported);
  return cudaMemsetAsync(data, value, bytes, nullptr);
}

}  // extern "C"
