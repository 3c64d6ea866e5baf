// The functions of cuBLAS that GpuLayer uses: a product is a loop in the stream of the handle.
#include <cublas_v2.h>

#include "harness/execute/element.h"
#include "tests/fake_gpu/fake.h"

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

struct cublasContext {
  int device = 0;
  cudaStream_t stream = nullptr;
  bool has_workspace = false;
};

namespace {

// Columns lie one after another, `ld` elements apart.
template <typename T>
struct Columns {
  T* data = nullptr;
  int64_t ld = 0;
  bool transposed = false;
  T& at(int64_t row, int64_t column) const {
    return transposed ? data[row * ld + column] : data[column * ld + row];
  }
};

template <typename T, typename Sum>
void multiply(Columns<const T> a, Columns<const T> b, Columns<T> c, int64_t m, int64_t n, int64_t k,
              Sum alpha, Sum beta) {
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < m; ++i) {
      Sum sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += static_cast<Sum>(a.at(i, l)) * static_cast<Sum>(b.at(l, j));
      sum *= alpha;
      if (beta != 0) sum += beta * static_cast<Sum>(c.at(i, j));
      c.at(i, j) = static_cast<T>(sum);
    }
  }
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  forbid_in_host_function("cublasCreate");
  *handle = new cublasContext{.device = current_device()};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->has_workspace = false;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (owner_of(workspace, bytes, "cublasSetWorkspace") != handle->device) {
    misuse("the workspace of cuBLAS is not on the device of its handle");
  }
  handle->has_workspace = true;
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasGetStatusString(cublasStatus_t) { return "an error of the fake cuBLAS"; }

cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t operation_a,
                               cublasOperation_t operation_b, int64_t m, int64_t n, int64_t k,
                               const void* alpha, const void* a, cudaDataType type, int64_t lda,
                               const void* b, cudaDataType type_b, int64_t ldb, const void* beta,
                               void* c, cudaDataType type_c, int64_t ldc,
                               cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (type_b != type || type_c != type) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (stream_of(handle->stream)->capture && !handle->has_workspace) {
    misuse("cuBLAS would allocate a workspace in a captured stream");
  }
  const bool transposed_a = operation_a == CUBLAS_OP_T, transposed_b = operation_b == CUBLAS_OP_T;
  const auto run = [&](auto zero, auto sum) {
    using T = decltype(zero);
    using Sum = decltype(sum);
    const auto check = [&](const void* data, int64_t ld, int64_t columns) {
      if (columns == 0) return;
      const auto bytes = static_cast<size_t>(ld * columns) * sizeof(T);
      if (owner_of(data, bytes, "cublasGemmEx") != handle->device) {
        misuse("a matrix of cublasGemmEx is not on the device of its handle");
      }
    };
    check(a, lda, transposed_a ? m : k);
    check(b, ldb, transposed_b ? k : n);
    check(c, ldc, n);
    submit(handle->stream, [=, to = static_cast<T*>(c), scale = *static_cast<const Sum*>(alpha),
                            keep = *static_cast<const Sum*>(beta)] {
      multiply<T, Sum>({static_cast<const T*>(a), lda, transposed_a},
                       {static_cast<const T*>(b), ldb, transposed_b}, {to, ldc, false}, m, n, k,
                       scale, keep);
    });
    return CUBLAS_STATUS_SUCCESS;
  };
  if (type == CUDA_R_64F && compute == CUBLAS_COMPUTE_64F) return run(double(), double());
  if (compute != CUBLAS_COMPUTE_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (type == CUDA_R_32F) return run(float(), float());
  return type == CUDA_R_16BF ? run(cpbench::BFloat16(), float()) : CUBLAS_STATUS_NOT_SUPPORTED;
}

}  // extern "C"
