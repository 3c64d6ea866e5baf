// The only file that includes cuDNN's frontend, which takes long to compile.
#include "harness/execute_cuda/cudnn/sdpa_graph.h"

#include <cudnn_frontend.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <unordered_map>

#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/cuda_check.h"
#include "harness/plan/errors.h"
#include "harness/plan/text_hash.h"

namespace cpbench {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

void check_cudnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw CudaError(std::string(what) + ": " + cudnnGetErrorString(status));
}

// The handles of one device that no thread is using. They are never destroyed, because CUDA may
// have been shut down when the process ends.
class Handles {
 public:
  cudnnHandle_t take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        cudnnHandle_t handle = free_.back();
        free_.pop_back();
        return handle;
      }
    }
    cudnnHandle_t handle = nullptr;
    check_cudnn(cudnnCreate(&handle), "cudnnCreate");
    return handle;
  }
  void give_back(cudnnHandle_t handle) {
    const std::lock_guard lock(mutex_);
    free_.push_back(handle);
  }

 private:
  std::mutex mutex_;
  std::vector<cudnnHandle_t> free_;
};

class Handle {
 public:
  explicit Handle(Handles& handles) : handles_(handles), handle_(handles.take()) {}
  ~Handle() { handles_.give_back(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator cudnnHandle_t() const { return handle_; }

 private:
  Handles& handles_;
  cudnnHandle_t handle_;
};

// The numbers of tensors. The offsets of tensor t have number kOffsets + t.
enum Uid : int64_t { q = 1, k, v, o, stats, d_o, dq, dk, dv, q_rows, kv_rows, kOffsets = 100 };

std::string text_of(const CudnnShape& s) {
  std::string window = "full";
  if (s.window == kCausal) window = "causal";
  if (s.window != kFull && s.window != kCausal) {
    window =
        "window of " + std::to_string(s.window.left) + " and " + std::to_string(s.window.right);
  }
  return std::string(s.backward ? "backward" : "forward") + ", " + window + ", " +
         std::to_string(s.batch) + " segments of up to " + std::to_string(s.max_q) +
         " queries and " + std::to_string(s.max_kv) + " keys, " + std::to_string(s.q_heads) + ":" +
         std::to_string(s.kv_heads) + " heads of " + std::to_string(s.width);
}

class Graph : public SdpaGraph {
 public:
  Graph(const CudnnShape& shape, Handles& handles) : shape_(shape), handles_(handles) {
    define();
    const Handle handle(handles_);
    expect(graph_.build_operation_graph(handle));
    expect(graph_.create_execution_plans({fe::HeurMode_t::A}));
    expect(graph_.check_support());
    expect(graph_.build_plans());
    expect(graph_.get_workspace_size(workspace_bytes_));
  }

  // For a GPU that is not here. Never runs.
  Graph(const CudnnShape& shape, Handles& handles, const std::string& properties)
      : shape_(shape), handles_(handles) {
    auto device = std::make_shared<fe::DeviceProperties>();
    expect(device->deserialize({properties.begin(), properties.end()}));
    graph_.set_device_properties(device);
    define();
    expect(graph_.build_operation_graph());
    expect(graph_.create_execution_plans({fe::HeurMode_t::A}));
    expect(graph_.check_support());
  }

  // What `serialized` returned, for this GPU.
  Graph(const CudnnShape& shape, Handles& handles, const std::vector<uint8_t>& serialized)
      : shape_(shape), handles_(handles) {
    const Handle handle(handles_);
    // The frontend captures an execution, on a stream of its own if the handle has none. That of
    // the handle's last user may be gone.
    check_cudnn(cudnnSetStream(handle, nullptr), "cudnnSetStream");
    expect(graph_.deserialize(handle, serialized));
    expect(graph_.get_workspace_size(workspace_bytes_));
  }

  // Compiles the code of the execution plan, which is a part of the result.
  std::vector<uint8_t> serialized() {
    std::vector<uint8_t> bytes;
    expect(graph_.build_plans());
    expect(graph_.serialize(bytes));
    return bytes;
  }

  int64_t workspace_bytes() const override { return workspace_bytes_; }

  void run(const CudnnForwardInput& in, cudaStream_t stream, std::byte* workspace) const override {
    execute(pack_of(in), stream, workspace);
  }

  void run(const CudnnBackwardInput& in, cudaStream_t stream, std::byte* workspace) const override {
    Pack pack = pack_of(in);
    put(pack, Uid::d_o, in.d_o);
    put(pack, Uid::dq, in.dq);
    put(pack, Uid::dk, in.dk);
    put(pack, Uid::dv, in.dv);
    execute(pack, stream, workspace);
  }

 private:
  using Pack = std::unordered_map<int64_t, void*>;

  void define() {
    graph_.set_io_data_type(fe::DataType_t::BFLOAT16)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    if (shape_.backward) {
      add_backward();
    } else {
      add_forward();
    }
    expect(graph_.validate());
  }

  static void put(Pack& pack, int64_t uid, const CudnnTensor& tensor) {
    pack[uid] = tensor.data;
    pack[Uid::kOffsets + uid] = const_cast<int64_t*>(tensor.offsets);
  }
  static Pack pack_of(const CudnnForwardInput& in) {
    Pack pack;
    pack[Uid::q_rows] = const_cast<int32_t*>(in.q_rows);
    pack[Uid::kv_rows] = const_cast<int32_t*>(in.kv_rows);
    put(pack, Uid::q, in.q);
    put(pack, Uid::k, in.k);
    put(pack, Uid::v, in.v);
    put(pack, Uid::o, in.o);
    put(pack, Uid::stats, in.stats);
    return pack;
  }

  // The frontend modifies maps of the graph when it executes, so only one thread may do so at a
  // time.
  void execute(Pack pack, cudaStream_t stream, std::byte* workspace) const {
    const Handle handle(handles_);
    check_cudnn(cudnnSetStream(handle, stream), "cudnnSetStream");
    const std::lock_guard lock(mutex_);
    fe::error_t error = graph_.execute(handle, pack, workspace);
    if (error.is_bad()) throw CudaError("cuDNN: " + error.get_message());
  }

  void expect(fe::error_t error) const {
    if (error.is_good()) return;
    const std::string message = error.get_message();
    throw UserError("kernel 'cudnn' has no execution plan for this call (" + text_of(shape_) +
                    "): " + message.substr(0, message.find('\n')) +
                    "; kernel 'flash' may support it");
  }

  struct Layout {
    int64_t heads, rows, width, stride;
  };
  Layout q_side(int64_t width, int64_t stride) const {
    return {shape_.q_heads, shape_.max_q, width, stride};
  }
  Layout kv_side(int64_t width, int64_t stride) const {
    return {shape_.kv_heads, shape_.max_kv, width, stride};
  }

  template <typename T>
  void lay_out(T& tensor, Uid uid, const Layout& l) {
    const Tensor offsets = graph_.tensor(fe::graph::Tensor_attributes()
                                             .set_uid(Uid::kOffsets + uid)
                                             .set_dim({shape_.batch + 1, 1, 1, 1})
                                             .set_stride({1, 1, 1, 1})
                                             .set_data_type(fe::DataType_t::INT64));
    tensor.set_uid(uid)
        .set_dim({shape_.batch, l.heads, l.rows, l.width})
        .set_stride({l.rows * l.stride, l.width, l.stride, 1})
        .set_ragged_offset(offsets);
  }
  Tensor input(Uid uid, const Layout& layout, fe::DataType_t type = fe::DataType_t::BFLOAT16) {
    fe::graph::Tensor_attributes tensor;
    lay_out(tensor, uid, layout);
    return graph_.tensor(tensor.set_data_type(type));
  }
  void output(const Tensor& tensor, Uid uid, const Layout& layout,
              fe::DataType_t type = fe::DataType_t::BFLOAT16) {
    lay_out(*tensor, uid, layout);
    tensor->set_output(true).set_data_type(type);
  }
  Tensor lengths(Uid uid) {
    return graph_.tensor(fe::graph::Tensor_attributes()
                             .set_uid(uid)
                             .set_dim({shape_.batch, 1, 1, 1})
                             .set_stride({1, 1, 1, 1})
                             .set_data_type(fe::DataType_t::INT32));
  }

  // With a left bound of n a row sees n keys: its own and n - 1 before it.
  template <typename Options>
  void set_common(Options& options) {
    options.set_attn_scale(static_cast<float>(1 / std::sqrt(static_cast<double>(shape_.width))))
        .set_padding_mask(true)
        .set_seq_len_q(lengths(Uid::q_rows))
        .set_seq_len_kv(lengths(Uid::kv_rows));
    if (shape_.window == kFull) return;
    options.set_diagonal_alignment(fe::DiagonalAlignment_t::BOTTOM_RIGHT);
    if (shape_.window.left != kUnlimited) {
      options.set_diagonal_band_left_bound(shape_.window.left + 1);
    }
    if (shape_.window.right != kUnlimited) {
      options.set_diagonal_band_right_bound(shape_.window.right);
    }
  }

  void add_forward() {
    fe::graph::SDPA_attributes options;
    // One implementation for all masks: the frontend's other one does not support masks.
    options.set_name("attention")
        .set_generate_stats(true)
        .set_implementation(fe::AttentionImplementation_t::COMPOSITE);
    set_common(options);
    const auto [out, log_sum_exp] =
        graph_.sdpa(input(Uid::q, q_side(shape_.width, shape_.q_stride)),
                    input(Uid::k, kv_side(shape_.width, shape_.k_stride)),
                    input(Uid::v, kv_side(shape_.value_width, shape_.v_stride)), options);
    output(out, Uid::o, q_side(shape_.value_width, shape_.o_stride));
    output(log_sum_exp, Uid::stats, q_side(1, shape_.stats_stride), fe::DataType_t::FLOAT);
  }

  void add_backward() {
    fe::graph::SDPA_backward_attributes options;
    options.set_name("attention_backward")
        .set_max_total_seq_len_q(shape_.total_q)
        .set_max_total_seq_len_kv(shape_.total_kv);
    set_common(options);
    const auto [grad_q, grad_k, grad_v] = graph_.sdpa_backward(
        input(Uid::q, q_side(shape_.width, shape_.q_stride)),
        input(Uid::k, kv_side(shape_.width, shape_.k_stride)),
        input(Uid::v, kv_side(shape_.value_width, shape_.v_stride)),
        input(Uid::o, q_side(shape_.value_width, shape_.o_stride)),
        input(Uid::d_o, q_side(shape_.value_width, shape_.d_o_stride)),
        input(Uid::stats, q_side(1, shape_.stats_stride), fe::DataType_t::FLOAT), options);
    output(grad_q, Uid::dq, q_side(shape_.width, shape_.dq_stride));
    output(grad_k, Uid::dk, kv_side(shape_.width, shape_.dk_stride));
    output(grad_v, Uid::dv, kv_side(shape_.value_width, shape_.dv_stride));
  }

  CudnnShape shape_;
  Handles& handles_;
  fe::graph::Graph graph_;
  int64_t workspace_bytes_ = 0;
  mutable std::mutex mutex_;
};

CudnnDevice current_cudnn_device() {
  int device = 0, sms = 0;
  check_cuda(cudaGetDevice(&device), "cudaGetDevice");
  check_cuda(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device),
             "cudaDeviceGetAttribute");
  return {current_capability(), sms};
}

// Null if the folder has no file for the graph, or cuDNN does not accept it.
std::unique_ptr<Graph> stored_graph(const CudnnShape& shape, Handles& handles) {
  const char* folder = std::getenv(kCudnnGraphsVariable);
  if (folder == nullptr) return nullptr;
  const auto path = std::filesystem::path(folder) / sdpa_graph_file(shape, current_cudnn_device());
  std::ifstream file(path, std::ios::binary);
  if (!file) return nullptr;
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  try {
    return std::make_unique<Graph>(shape, handles, bytes);
  } catch (const std::exception& error) {
    static std::once_flag once;
    std::call_once(once, [&] {
      std::fprintf(stderr, "cpbench: warning: %s is not used, and perhaps others: %s\n",
                   path.c_str(), error.what());
    });
    return nullptr;
  }
}

// The graphs of one device. Several threads may build different graphs at the same time, and each
// graph is built once.
class Graphs {
 public:
  const SdpaGraph& get(const CudnnShape& shape) {
    Entry* entry = nullptr;
    {
      const std::lock_guard lock(mutex_);
      entry = &entries_[shape];
    }
    const std::lock_guard lock(entry->mutex);
    if (!entry->graph) {
      entry->graph = stored_graph(shape, handles_);
      if (!entry->graph) entry->graph = std::make_unique<Graph>(shape, handles_);
    }
    return *entry->graph;
  }

 private:
  struct Entry {
    std::mutex mutex;
    std::unique_ptr<Graph> graph;
  };
  std::mutex mutex_;
  std::map<CudnnShape, Entry> entries_;
  Handles handles_;
};

Graphs& graphs_of_current_device() {
  static std::mutex mutex;
  static auto* devices = new std::map<int, Graphs>;  // never destroyed, like handles
  int device = 0;
  check_cuda(cudaGetDevice(&device), "cudaGetDevice");
  const std::lock_guard lock(mutex);
  return (*devices)[device];
}

}  // namespace

int loaded_cudnn() { return static_cast<int>(cudnnGetVersion()); }

const SdpaGraph& sdpa_graph(const CudnnShape& shape) {
  return graphs_of_current_device().get(shape);
}

namespace {

Graph graph_without_gpu(const CudnnShape& shape, const std::string& properties) {
  static Handles none;
  return {shape, none, properties};
}

}  // namespace

void check_sdpa_graph(const CudnnShape& shape, const std::string& properties) {
  static_cast<void>(graph_without_gpu(shape, properties));
}

std::vector<uint8_t> serialized_sdpa_graph(const CudnnShape& shape, const std::string& properties) {
  return graph_without_gpu(shape, properties).serialized();
}

std::string sdpa_graph_file(const CudnnShape& s, const CudnnDevice& device) {
  std::string text = "frontend " + std::to_string(CUDNN_FRONTEND_VERSION);
  for (int64_t number : {int64_t{s.backward},
                         int64_t{s.window.left},
                         int64_t{s.window.right},
                         int64_t{s.batch},
                         int64_t{s.max_q},
                         int64_t{s.max_kv},
                         s.total_q,
                         s.total_kv,
                         int64_t{s.q_heads},
                         int64_t{s.kv_heads},
                         int64_t{s.width},
                         int64_t{s.value_width},
                         s.q_stride,
                         s.k_stride,
                         s.v_stride,
                         s.o_stride,
                         s.stats_stride,
                         s.d_o_stride,
                         s.dq_stride,
                         s.dk_stride,
                         s.dv_stride}) {
    text += " " + std::to_string(number);
  }
  return "sm_" + std::to_string(device.capability) + "_with_" + std::to_string(device.sms) +
         "_cudnn_" + std::to_string(loaded_cudnn()) + "/" + hex16(hash_of_text(text)) + ".graph";
}

}  // namespace cpbench
