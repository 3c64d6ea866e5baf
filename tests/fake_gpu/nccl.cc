// The C interface of NCCL: groups, communicators and errors. All operations of a group on one
// communicator are one operation of its stream.
#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "tests/fake_gpu/nccl_operations.h"

namespace fake_gpu {
namespace {

struct Comms {
  std::mutex mutex;
  std::map<ncclComm_t, std::shared_ptr<Comm>> all;
};

Comms& comms() {
  static auto* const all = new Comms;
  return *all;
}

struct Queued {
  std::shared_ptr<Comm> comm;
  cudaStream_t stream = nullptr;
  std::vector<Call> calls;
};

// The group of operations that this thread has begun, and why it will not be enqueued.
thread_local int depth = 0;
thread_local ncclResult_t refused = ncclSuccess;
thread_local std::vector<Queued> queued;                  // one per communicator
thread_local std::vector<std::shared_ptr<Comm>> joining;  // created in the group
struct Split {
  std::shared_ptr<Comm> all;
  int color = 0, key = 0;
  ncclComm_t* part = nullptr;
};
thread_local std::vector<Split> splitting;

std::shared_ptr<Comm> comm_of(ncclComm_t handle) {
  const std::lock_guard lock(comms().mutex);
  const auto found = comms().all.find(handle);
  if (found == comms().all.end()) misuse("an NCCL communicator does not exist, or was destroyed");
  return found->second;
}

ncclComm_t keep(const std::shared_ptr<Comm>& comm) {
  const std::lock_guard lock(comms().mutex);
  const auto handle = reinterpret_cast<ncclComm_t>(comm.get());
  comms().all[handle] = comm;
  return handle;
}

ncclResult_t finish_splitting(const std::vector<Split>& group) {
  std::vector<std::shared_ptr<Comm>> parts(group.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < group.size(); ++i) {
    threads.emplace_back([&split = group[i], &part = parts[i]] {
      part = split_communicator(*split.all, split.color, split.key);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ncclResult_t result = ncclSuccess;
  for (size_t i = 0; i < group.size(); ++i) {
    *group[i].part = parts[i] ? keep(parts[i]) : nullptr;
    if (parts[i] && parts[i]->state != ncclSuccess) result = parts[i]->state;
  }
  return result;
}

ncclResult_t finish_joining(const std::vector<std::shared_ptr<Comm>>& group) {
  std::vector<std::thread> threads;
  ncclResult_t result = ncclSuccess;
  for (const auto& comm : group) {
    std::thread thread([comm] { join_communicator(*comm); });
    if (comm->blocking) {
      threads.push_back(std::move(thread));
    } else {
      thread.detach();
      result = ncclInProgress;
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& comm : group) {
    if (comm->blocking && comm->state != ncclSuccess) result = comm->state;
  }
  return result;
}

// Keeps the count of operations of the communicator in graphs. The graph holds the result.
std::shared_ptr<Comm> in_graph(const std::shared_ptr<Comm>& comm) {
  ++comm->graphs;
  return {comm.get(), [comm](Comm*) { --comm->graphs; }};
}

// As NCCL does: a communicator ends only after the graphs in which it was captured.
void wait_for_graphs(const Comm& comm) {
  while (comm.graphs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

ncclResult_t refuse(ncclResult_t reason) {
  if (depth > 0) refused = reason;
  return reason;
}

ncclResult_t end_group() {
  const std::vector<std::shared_ptr<Comm>> created = std::move(joining);
  const std::vector<Queued> operations = std::move(queued);
  const std::vector<Split> splits = std::move(splitting);
  joining.clear();
  queued.clear();
  splitting.clear();
  if (refused != ncclSuccess) return std::exchange(refused, ncclSuccess);
  ncclResult_t result = created.empty() ? ncclSuccess : finish_joining(created);
  if (result == ncclSuccess) result = finish_splitting(splits);
  for (const Queued& each : operations) {
    const bool captured = stream_of(each.stream)->capture != nullptr;
    submit(each.stream, [comm = captured ? in_graph(each.comm) : each.comm, calls = each.calls] {
      run_group(*comm, calls);
    });
    if (!each.comm->blocking && result == ncclSuccess) result = ncclInProgress;
  }
  return result;
}

ncclResult_t enqueue(ncclComm_t handle, cudaStream_t stream, const Call& call) {
  forbid_in_host_function("an NCCL operation");
  const std::shared_ptr<Comm> comm = comm_of(handle);
  if (comm->state == ncclInProgress) misuse("NCCL: an operation before its communicator is ready");
  if (comm->state != ncclSuccess) return refuse(comm->state);
  if (call.peer >= comm->size || call.peer < 0) return refuse(ncclInvalidArgument);
  if (stream_of(stream)->device() != comm->device) {
    misuse("NCCL: the stream belongs to another device than the communicator");
  }
  check_buffers(*comm, call);
  ++depth;
  auto own = std::ranges::find(queued, comm, &Queued::comm);
  if (own == queued.end()) own = queued.insert(own, {comm, stream, {}});
  if (own->stream != stream) misuse("NCCL: one communicator on two streams in a group");
  own->calls.push_back(call);
  return --depth > 0 ? ncclSuccess : end_group();
}

ncclResult_t create(ncclComm_t* handle, int size, const ncclUniqueId& id, int rank, bool blocking) {
  if (rank < 0 || rank >= size) return refuse(ncclInvalidArgument);
  auto comm = std::make_shared<Comm>(id.internal, rank, size, current_device(), blocking);
  comm->state = ncclInProgress;
  *handle = keep(comm);
  ++depth;
  joining.push_back(comm);
  return --depth > 0 ? ncclSuccess : end_group();
}

std::shared_ptr<Comm> forget(ncclComm_t handle) {
  std::shared_ptr<Comm> comm = comm_of(handle);
  const std::lock_guard lock(comms().mutex);
  comms().all.erase(handle);
  return comm;
}

}  // namespace
}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const std::string folder = Mailbox::new_folder();
  if (folder.size() >= sizeof(id->internal)) misuse("TMPDIR is too long for an NCCL id");
  std::memset(id, 0, sizeof(*id));
  std::memcpy(id->internal, folder.data(), folder.size());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  const auto bad = [](int value) { return value != NCCL_CONFIG_UNDEF_INT && value <= 0; };
  if (config != nullptr && (bad(config->minCTAs) || bad(config->maxCTAs))) {
    return refuse(ncclInvalidArgument);
  }
  return create(comm, size, id, rank, config == nullptr || config->blocking != 0);
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int size, ncclUniqueId id, int rank) {
  return create(comm, size, id, rank, true);
}

ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* part,
                           ncclConfig_t* config) {
  if (color < 0 && color != NCCL_SPLIT_NOCOLOR) return refuse(ncclInvalidArgument);
  const std::shared_ptr<Comm> all = comm_of(comm);
  if (config != nullptr || !all->blocking) misuse("NCCL: such splits are not supported");
  if (all->state != ncclSuccess) return refuse(all->state);
  ++depth;
  splitting.push_back({all, color, key, part});
  return --depth > 0 ? ncclSuccess : end_group();
}

ncclResult_t ncclCommInitAll(ncclComm_t* all, int count, const int* devices) {
  ncclUniqueId id;
  ncclGetUniqueId(&id);
  const int before = current_device();
  ++depth;
  for (int i = 0; i < count; ++i) {
    cudaSetDevice(devices == nullptr ? i : devices[i]);
    create(&all[i], count, id, i, true);
  }
  cudaSetDevice(before);
  return --depth > 0 ? ncclSuccess : end_group();
}

ncclResult_t ncclCommDestroy(ncclComm_t handle) {
  const std::shared_ptr<Comm> comm = forget(handle);
  wait_for_graphs(*comm);
  const std::lock_guard lock(comm->running);
  comm->destroyed = true;
  comm->mailbox.leave();
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t handle) {
  const std::shared_ptr<Comm> comm = forget(handle);
  comm->aborted = true;
  wait_for_graphs(*comm);
  const std::lock_guard lock(comm->running);
  comm->mailbox.leave();
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t handle, ncclResult_t* error) {
  *error = comm_of(handle)->state;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t code) {
  switch (code) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error";
    case ncclSystemError:
      return "unhandled system error";
    case ncclInternalError:
      return "internal error";
    case ncclInvalidArgument:
      return "invalid argument";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclInProgress:
      return "NCCL operation in progress";
    default:
      return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t) { return ""; }

ncclResult_t ncclGroupStart() {
  ++depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (depth == 0) return ncclInvalidUsage;
  return --depth > 0 ? ncclSuccess : end_group();
}

ncclResult_t ncclSend(const void* data, size_t count, ncclDataType_t datatype, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return enqueue(comm, stream, {Operation::send, data, nullptr, count, datatype, ncclSum, peer});
}

ncclResult_t ncclRecv(void* data, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return enqueue(comm, stream, {Operation::receive, nullptr, data, count, datatype, ncclSum, peer});
}

ncclResult_t ncclAllGather(const void* in, void* out, size_t count, ncclDataType_t datatype,
                           ncclComm_t comm, cudaStream_t stream) {
  return enqueue(comm, stream, {Operation::all_gather, in, out, count, datatype, ncclSum, 0});
}

ncclResult_t ncclReduceScatter(const void* in, void* out, size_t count, ncclDataType_t datatype,
                               ncclRedOp_t reduction, ncclComm_t comm, cudaStream_t stream) {
  if (reduction != ncclSum) misuse("NCCL: only sums are supported");
  return enqueue(comm, stream, {Operation::reduce_scatter, in, out, count, datatype, reduction, 0});
}

ncclResult_t ncclAllReduce(const void* in, void* out, size_t count, ncclDataType_t datatype,
                           ncclRedOp_t reduction, ncclComm_t comm, cudaStream_t stream) {
  if (reduction != ncclSum) misuse("NCCL: only sums are supported");
  return enqueue(comm, stream, {Operation::all_reduce, in, out, count, datatype, reduction, 0});
}

}  // extern "C"
