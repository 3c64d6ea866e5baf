#include "harness/execute_cuda/nccl_transport.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "harness/execute/exit_on_timeout.h"
#include "harness/execute/transport.h"
#include "harness/execute_cuda/stream.h"
#include "harness/plan/seconds_text.h"

namespace cpbench {
namespace {

ncclDataType_t nccl_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return ncclFloat64;
    case Dtype::float32:
      return ncclFloat32;
    case Dtype::bfloat16:
      return ncclBfloat16;
  }
  throw std::logic_error("NCCL has no type for this dtype");
}

ncclConfig_t config_of(const NcclOptions& options) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  if (options.min_ctas > 0) config.minCTAs = options.min_ctas;
  if (options.max_ctas > 0) config.maxCTAs = options.max_ctas;
  if (options.cta_policy == "efficiency") config.CTAPolicy = NCCL_CTA_POLICY_EFFICIENCY;
  return config;
}

// Enqueues what `work` calls as one group of operations. A group that stayed open after an error
// would hold back all later operations of this thread.
template <typename Work>
void as_group(const Work& work) {
  check_nccl(ncclGroupStart(), "ncclGroupStart");
  try {
    work();
  } catch (...) {
    static_cast<void>(ncclGroupEnd());
    throw;
  }
  check_nccl(ncclGroupEnd(), "ncclGroupEnd");
}

std::string late(const std::string& what, double timeout_seconds) {
  return "cpbench: error: NCCL did not " + what + " within " + seconds_text(timeout_seconds) +
         "; NCCL_DEBUG=INFO prints more";
}

}  // namespace

void check_nccl(ncclResult_t code, const char* what) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  const std::string detail = ncclGetLastError(nullptr);
  throw std::runtime_error(std::string(what) + ": " + ncclGetErrorString(code) +
                           (detail.empty() ? "" : " (" + detail + ")"));
}

ncclUniqueId NcclTransport::new_id() {
  ncclUniqueId id;
  check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  return id;
}

NcclTransport::NcclTransport(const ncclUniqueId& id, int32_t ranks, const RanksOfProcess& mine,
                             double timeout_seconds, const NcclOptions& options)
    : first_rank_(mine.first_rank),
      devices_(mine.devices),
      timeout_seconds_(timeout_seconds),
      communicators_(mine.devices.size()) {
  {
    const ExitOnTimeout timeout(timeout_seconds, late("connect all ranks", timeout_seconds));
    as_group([&] {
      for (size_t i = 0; i < mine.devices.size(); ++i) {
        set_device(mine.devices[i]);
        ncclConfig_t config = config_of(options);
        check_nccl(ncclCommInitRankConfig(&communicators_[i], ranks, id,
                                          mine.first_rank + static_cast<int>(i), &config),
                   "ncclCommInitRankConfig");
      }
    });
  }
  for (int32_t device : mine.devices) {
    set_device(device);
    tokens_.emplace_back(2).fill(0);
  }
}

NcclTransport::~NcclTransport() {
  for (std::thread& abort : aborts_) abort.join();
  if (closed_) return;
  for (ncclComm_t communicator : communicators_) {
    if (communicator) static_cast<void>(ncclCommDestroy(communicator));
  }
}

double NcclTransport::creation_seconds(const std::vector<std::vector<int32_t>>& groups) {
  const auto color_of = [&](int32_t rank) {
    const auto own = std::ranges::find_if(
        groups, [&](const auto& group) { return std::ranges::binary_search(group, rank); });
    return own == groups.end() ? NCCL_SPLIT_NOCOLOR : static_cast<int>(own - groups.begin());
  };
  if (closed_) throw TransportClosed();
  const ExitOnTimeout timeout(timeout_seconds_,
                              late("create communicators of groups of ranks", timeout_seconds_));
  std::vector<ncclComm_t> created(communicators_.size());
  const auto start = std::chrono::steady_clock::now();
  as_group([&] {
    for (size_t i = 0; i < communicators_.size(); ++i) {
      const int32_t rank = first_rank_ + static_cast<int32_t>(i);
      set_device(devices_[i]);
      check_nccl(ncclCommSplit(communicators_[i], color_of(rank), rank, &created[i], nullptr),
                 "ncclCommSplit");
    }
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (ncclComm_t communicator : created) {
    if (communicator) check_nccl(ncclCommDestroy(communicator), "ncclCommDestroy");
  }
  return seconds.count();
}

// NCCL connects ranks and allocates buffers in the first operation that needs them. If each rank
// did so by itself, the kernel of an early one would wait on its GPU for a rank whose allocation
// may wait for that kernel. In one group of one thread everything is connected before the first
// kernel starts.
void NcclTransport::connect(std::span<const RankLinks> links) {
  if (closed_) throw TransportClosed();
  std::vector<Stream> streams;
  for (int32_t device : devices_) {
    set_device(device);
    streams.emplace_back();
  }
  const auto grouped = [&](const auto& enqueue) {
    as_group([&] {
      for (size_t i = 0; i < links.size(); ++i) enqueue(i, first_rank_ + static_cast<int32_t>(i));
    });
  };
  grouped([&](size_t i, int32_t rank) {
    float* token = tokens_[i].data();
    for (int32_t peer : links[i].sends_to) {
      check_nccl(ncclSend(token, 1, ncclFloat32, peer, of(rank), streams[i]), "ncclSend");
    }
    for (int32_t peer : links[i].receives_from) {
      check_nccl(ncclRecv(token + 1, 1, ncclFloat32, peer, of(rank), streams[i]), "ncclRecv");
    }
  });
  grouped([&](size_t i, int32_t rank) { barrier(rank, streams[i]); });
  for (size_t c = 0; c < links.front().collectives.size(); ++c) {
    grouped([&](size_t i, int32_t rank) { collective(rank, links[i].collectives[c], streams[i]); });
  }
  for (const Stream& stream : streams) stream.synchronize();
}

void NcclTransport::exchange(int32_t rank, std::span<const DeviceMessage> sends,
                             std::span<const DeviceMessage> receives, cudaStream_t stream) {
  if (closed_) throw TransportClosed();
  as_group([&] {
    for (const DeviceMessage& m : sends) {
      check_nccl(ncclSend(m.data, m.bytes, ncclUint8, m.peer, of(rank), stream), "ncclSend");
    }
    for (const DeviceMessage& m : receives) {
      check_nccl(ncclRecv(m.data, m.bytes, ncclUint8, m.peer, of(rank), stream), "ncclRecv");
    }
  });
}

void NcclTransport::collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) {
  if (closed_) throw TransportClosed();
  if (call.kind == CollectiveKind::all_gather) {
    check_nccl(ncclAllGather(call.source, call.blocks, call.bytes, ncclUint8, of(rank), stream),
               "ncclAllGather");
    return;
  }
  const size_t count = call.bytes / bytes_of(call.elements);
  check_nccl(ncclReduceScatter(call.blocks, call.blocks + rank * call.bytes, count,
                               nccl_type(call.elements), ncclSum, of(rank), stream),
             "ncclReduceScatter");
}

void NcclTransport::barrier(int32_t rank, cudaStream_t stream) {
  if (closed_) throw TransportClosed();
  float* token = tokens_[rank - first_rank_].data();
  check_nccl(ncclAllReduce(token, token, 1, ncclFloat32, ncclSum, of(rank), stream),
             "ncclAllReduce");
}

void NcclTransport::check(int32_t rank) {
  if (closed_) throw TransportClosed();
  ncclResult_t found = ncclSuccess;
  check_nccl(ncclCommGetAsyncError(of(rank), &found), "ncclCommGetAsyncError");
  check_nccl(found, "NCCL");
}

// An abort ends the kernels that wait for peers, and returns only when all CUDA graphs that use the
// communicator are destroyed. Their ranks do that when they have ended, so none may wait here.
void NcclTransport::close() {
  if (closed_.exchange(true)) return;
  for (ncclComm_t communicator : communicators_) {
    if (!communicator) continue;
    aborts_.emplace_back([communicator] { static_cast<void>(ncclCommAbort(communicator)); });
  }
}

}  // namespace cpbench
