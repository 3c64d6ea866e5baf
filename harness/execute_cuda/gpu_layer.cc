#include "harness/execute_cuda/gpu_layer.h"

#include <array>
#include <stdexcept>
#include <string>

#include "harness/execute_cuda/rows.h"

namespace cpbench {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what NVIDIA recommends for Hopper

void check_cublas(cublasStatus_t code, const char* what) {
  if (code == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + cublasGetStatusString(code));
}

cublasHandle_t new_handle() {
  cublasHandle_t handle = nullptr;
  check_cublas(cublasCreate(&handle), "cublasCreate");
  return handle;
}

cudaDataType type_of(Dtype dtype) {
  constexpr std::array kTypes = {CUDA_R_64F, CUDA_R_32F, CUDA_R_16BF};  // in the order of Dtype
  return kTypes[static_cast<size_t>(dtype)];
}

}  // namespace

GpuLayer::GpuLayer(const RankProgram& program, const AttentionShape& shape,
                   const std::vector<BoundBuffer>& buffers)
    : memory_(static_cast<size_t>(layer_bytes(program, shape))),
      bound_(shape, layer_home(program, shape, &buffers), memory_.data()),
      workspace_(kWorkspaceBytes),
      cublas_(new_handle()) {}

void GpuLayer::fill_inputs(RangeSpan home, uint64_t seed, cudaStream_t stream) {
  memory_.fill(0xff);
  bound_.fill_inputs(home, seed, [&](const Matrix& matrix, Range rows, int64_t row, uint64_t own) {
    launch_fill_input(matrix, Input::q, rows, row, own, stream);
  });
}

void GpuLayer::run(const std::vector<LayerOp>& ops, cudaStream_t stream) const {
  // In this order: a new stream takes the workspace away.
  check_cublas(cublasSetStream(cublas_.get(), stream), "cublasSetStream");
  check_cublas(cublasSetWorkspace(cublas_.get(), workspace_.data(), workspace_.size()),
               "cublasSetWorkspace");
  for (const LayerOp& op : ops) {
    if (op.c.size() == 0) continue;
    if (op.kind == LayerOpKind::product) {
      multiply(op);
    } else {
      launch_layer_op(op, stream);
    }
  }
}

// cuBLAS's matrices have columns one after another, so it sees each of ours transposed: it computes
// C^T = B^T A^T.
void GpuLayer::multiply(const LayerOp& op) const {
  const auto operation = [](bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const int64_t inner = op.transpose_a ? op.a.rows : op.a.columns;
  const bool wide = op.c.dtype == Dtype::float64;
  const double scale = op.scale, keep = op.adds ? 1 : 0;
  const auto narrow_scale = static_cast<float>(scale), narrow_keep = static_cast<float>(keep);
  const void* alpha = wide ? static_cast<const void*>(&scale) : &narrow_scale;
  const void* beta = wide ? static_cast<const void*>(&keep) : &narrow_keep;
  const cudaDataType type = type_of(op.c.dtype);
  check_cublas(cublasGemmEx_64(cublas_.get(), operation(op.transpose_b), operation(op.transpose_a),
                               op.c.columns, op.c.rows, inner, alpha, op.b.data, type, op.b.columns,
                               op.a.data, type, op.a.columns, beta, op.c.data, type, op.c.columns,
                               wide ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
               "cublasGemmEx_64");
}

}  // namespace cpbench
