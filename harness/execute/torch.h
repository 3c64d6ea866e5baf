// What cpbench asks of LibTorch. It is in a module (harness/execute_torch) that is loaded when it
// is first needed: loading LibTorch takes 0.4 s of CPU time, which is more than most commands take.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "harness/execute/kernel.h"
#include "harness/execute/layer.h"
#include "harness/execute/module.h"
#include "harness/execute/reference.h"

namespace cpbench {

class Torch {
 public:
  virtual ~Torch() = default;

  // LibTorch's fused CPU attention.
  virtual std::unique_ptr<Kernel> fused_kernel(Cores cores) const = 0;

  // The layer around the attention (layer.h) on a CPU, with LibTorch's matrix products.
  virtual void run_layer(const std::vector<LayerOp>& ops, Cores cores) const = 0;

  // FLOP/s of one core of this machine in a large matrix product of this dtype.
  virtual double core_peak_flops_per_second(Dtype dtype) const = 0;

  // Whether LibTorch was built with CUDA and finds a GPU. The first call loads its CUDA library.
  virtual bool has_gpu() const = 0;

  // The reference by matrix products, on a CPU or a GPU, for problems that are too large for the
  // CPU kernels. Computes O, dQ, dK and dV from the inputs of `seed`, which are rounded to the
  // shape's dtype first, a block of queries at a time: in float32 on a GPU, whose memory is free
  // again afterwards, or without one in float64 on the CPU.
  virtual Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                                    Passes passes,
                                    std::optional<int32_t> gpu = std::nullopt) const = 0;

  // The Python packages of the LibTorch that is loaded: the folder that has its folder `torch`.
  virtual std::filesystem::path packages() const = 0;
};

// Loaded once, and stays loaded. Throws UserError if LibTorch cannot be loaded.
const Torch& open_torch();

// LibTorch has its own matrix products, of the same names as those of libblas, which the solvers
// need and which are ten times as slow. (Sanitizers refuse this flag.) Lazy, because a
// library may lack what LibTorch never calls here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kTorchBinding = RTLD_LAZY | RTLD_LOCAL;
#else
inline constexpr int kTorchBinding = RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

// What the module exports.
inline Module torch_module(const char* function) {
  return {.file = "cpbench_torch.so",
          .function = function,
          .feature = "LibTorch",
          .requirements = "the LibTorch that cpbench was built with (scripts/setup)",
          .binding = kTorchBinding};
}
inline constexpr const char* kTorchFunction = "cpbench_open_torch";
using OpenTorchFunction = const Torch*();

}  // namespace cpbench
