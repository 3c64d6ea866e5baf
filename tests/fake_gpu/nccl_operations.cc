#include "tests/fake_gpu/nccl_operations.h"

#include <cstring>
#include <set>
#include <sstream>
#include <thread>

#include "harness/execute/element.h"

namespace fake_gpu {
namespace {

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::send:
    case Operation::receive:
      return "send to receive";
    case Operation::all_gather:
      return "all-gather";
    case Operation::reduce_scatter:
      return "reduce-scatter";
    case Operation::all_reduce:
      break;
  }
  return "all-reduce";
}

std::string text_of(const Label& label) {
  return std::string(name_of(static_cast<Operation>(label.operation))) + " of " +
         std::to_string(label.count) + " elements of type " + std::to_string(label.datatype);
}

// Waits until test() is true. Returns false if the communicator was aborted.
template <typename Test>
bool poll(const Comm& comm, const Test& test) {
  for (int tries = 0; !test(); ++tries) {
    if (comm.aborted) return false;
    if (tries < 10) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  return true;
}

void hang(const Comm& comm) {
  poll(comm, [] { return false; });
}

Label label_of(const Comm& comm, const Call& call) {
  const bool pair = call.operation == Operation::send || call.operation == Operation::receive;
  return {static_cast<int32_t>(pair ? Operation::send : call.operation), call.datatype,
          pair ? 0 : call.reduction, comm.size, call.count};
}

template <typename T>
void add(void* sum, const void* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    T& to = static_cast<T*>(sum)[i];
    to = static_cast<T>(to + static_cast<const T*>(values)[i]);
  }
}

void add(void* sum, const void* values, size_t count, ncclDataType_t datatype) {
  switch (datatype) {
    case ncclFloat64:
      return add<double>(sum, values, count);
    case ncclFloat32:
      return add<float>(sum, values, count);
    case ncclBfloat16:
      return add<cpbench::BFloat16>(sum, values, count);
    case ncclInt32:
      return add<int32_t>(sum, values, count);
    case ncclInt64:
      return add<int64_t>(sum, values, count);
    default:
      misuse("sums of NCCL type " + std::to_string(datatype) + " are not supported");
  }
}

// The part of `in` that is sent to a peer; nullptr if nothing is.
const std::byte* part_for(const Call& call, int peer) {
  const auto* in = static_cast<const std::byte*>(call.in);
  switch (call.operation) {
    case Operation::send:
      return peer == call.peer ? in : nullptr;
    case Operation::receive:
      return nullptr;
    case Operation::reduce_scatter:
      return in + peer * call.count * bytes_of(call.datatype);
    case Operation::all_gather:
    case Operation::all_reduce:
      break;
  }
  return in;
}

bool receives_from(const Call& call, int peer) {
  if (call.operation == Operation::send) return false;
  return call.operation != Operation::receive || peer == call.peer;
}

// The next message from a peer; nullopt if the communicator was aborted.
std::optional<Message> next_message(Comm& comm, const Call& call, int peer) {
  std::optional<Message> message;
  if (!poll(comm, [&] { return (message = comm.mailbox.take(peer)).has_value(); })) {
    return std::nullopt;
  }
  const Label expected = label_of(comm, call);
  if (std::memcmp(&message->label, &expected, sizeof(Label)) != 0) {
    misuse("NCCL: rank " + std::to_string(comm.rank) + " takes part in " + text_of(expected) +
           ", rank " + std::to_string(peer) + " in " + text_of(message->label));
  }
  return message;
}

bool receive(Comm& comm, const Call& call) {
  auto* out = static_cast<std::byte*>(call.out);
  const size_t bytes = call.count * bytes_of(call.datatype);
  bool first = true;
  // In the order of ranks, so that sums are the same on all ranks.
  for (int peer = 0; peer < comm.size; ++peer) {
    if (!receives_from(call, peer)) continue;
    const std::optional<Message> message = next_message(comm, call, peer);
    if (!message) return false;
    const std::byte* data = message->data.data();
    switch (call.operation) {
      case Operation::all_gather:
        std::memcpy(out + peer * bytes, data, bytes);
        break;
      case Operation::reduce_scatter:
      case Operation::all_reduce:
        if (first) {
          std::memcpy(out, data, bytes);
        } else {
          add(out, data, call.count, call.datatype);
        }
        break;
      default:
        std::memcpy(out, data, bytes);
        break;
    }
    first = false;
  }
  return true;
}

}  // namespace

size_t bytes_of(ncclDataType_t datatype) {
  switch (datatype) {
    case ncclInt8:
    case ncclUint8:
      return 1;
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32:
      return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64:
      return 8;
    default:
      misuse("NCCL type " + std::to_string(datatype) + " is not supported");
  }
}

void join_communicator(Comm& comm) {
  if (comm.rank == setting("FAKE_NCCL_ABSENT_RANK", -1) &&
      setting("FAKE_NCCL_ABSENT_AFTER", 0) == 0) {
    return hang(comm);
  }
  const char* host = std::getenv("NCCL_HOSTID");
  comm.mailbox.arrive((host == nullptr ? "" : host) + (":" + std::to_string(comm.device)));
  std::optional<std::vector<std::string>> devices;
  if (!poll(comm, [&] { return (devices = comm.mailbox.devices()).has_value(); })) return;
  if (std::set<std::string>(devices->begin(), devices->end()).size() < devices->size()) {
    comm.state = ncclInvalidUsage;  // "Duplicate GPU detected"
    return;
  }
  comm.state = ncclSuccess;
}

std::shared_ptr<Comm> split_communicator(Comm& all, int color, int key) {
  const std::string split = "split" + std::to_string(all.splits++);
  Mailbox answers(all.mailbox.folder_beside(split), all.rank, all.size);
  answers.arrive(std::to_string(color) + " " + std::to_string(key));
  std::optional<std::vector<std::string>> answered;
  if (!poll(all, [&] { return (answered = answers.devices()).has_value(); })) return nullptr;
  answers.leave();
  if (color == NCCL_SPLIT_NOCOLOR) return nullptr;
  std::set<std::pair<int, int>> members;  // key and rank
  for (int rank = 0; rank < all.size; ++rank) {
    int of_rank = 0, its_key = 0;
    std::istringstream((*answered)[rank]) >> of_rank >> its_key;
    if (of_rank == color) members.emplace(its_key, rank);
  }
  const auto own = std::distance(members.begin(), members.find({key, all.rank}));
  auto comm = std::make_shared<Comm>(all.mailbox.folder_beside(split + "-" + std::to_string(color)),
                                     static_cast<int>(own), static_cast<int>(members.size()),
                                     all.device, true);
  join_communicator(*comm);
  return comm;
}

void check_buffers(const Comm& comm, const Call& call) {
  const auto check = [&](const void* data, size_t count, const char* what) {
    const size_t bytes = count * bytes_of(call.datatype);
    if (bytes > 0 && owner_of(data, bytes, what) != comm.device) {
      misuse(std::string(what) + " is not in the memory of the communicator's device");
    }
  };
  const size_t all = call.count * comm.size;
  if (call.operation != Operation::receive) {
    check(call.in, call.operation == Operation::reduce_scatter ? all : call.count,
          "what NCCL sends");
  }
  if (call.operation != Operation::send) {
    check(call.out, call.operation == Operation::all_gather ? all : call.count,
          "what NCCL receives");
  }
}

void run_group(Comm& comm, const std::vector<Call>& calls) {
  const std::lock_guard lock(comm.running);
  if (comm.aborted) return;
  if (comm.destroyed) misuse("NCCL: an operation runs after its communicator was destroyed");
  const int64_t before = comm.groups++;
  if (before == 0) take_memory(comm.device, setting("FAKE_NCCL_BUFFERS", 0));
  if (comm.rank == setting("FAKE_NCCL_ABSENT_RANK", -1) &&
      before >= setting("FAKE_NCCL_ABSENT_AFTER", 0)) {
    return hang(comm);
  }
  const int64_t error_after = setting("FAKE_NCCL_ERROR_AFTER", -1);
  if (error_after >= 0 && before >= error_after) {
    comm.state = ncclRemoteError;
    return hang(comm);
  }
  std::vector<std::filesystem::path> posted;
  for (const Call& call : calls) {
    check_buffers(comm, call);
    for (int peer = 0; peer < comm.size; ++peer) {
      const std::byte* part = part_for(call, peer);
      if (part == nullptr) continue;
      posted.push_back(comm.mailbox.post(peer, label_of(comm, call), part,
                                         call.count * bytes_of(call.datatype)));
    }
  }
  for (const Call& call : calls) {
    if (!receive(comm, call)) return;
  }
  for (const std::filesystem::path& path : posted) {
    if (!poll(comm, [&] { return !std::filesystem::exists(path); })) return;
  }
}

}  // namespace fake_gpu
