#include "harness/execute/torch.h"
#include "harness/execute_torch/parts.h"

namespace cpbench {
namespace {

class LoadedTorch : public Torch {
 public:
  std::unique_ptr<Kernel> fused_kernel(Cores cores) const override {
    return make_fused_kernel(cores);
  }
  void run_layer(const std::vector<LayerOp>& ops, Cores cores) const override {
    run_layer_ops(ops, cores);
  }
  double core_peak_flops_per_second(Dtype dtype) const override { return measure_core_peak(dtype); }
  bool has_gpu() const override { return cuda_tensors_work(); }
  Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                            Passes passes, std::optional<int32_t> gpu) const override {
    return cpbench::exact_attention(batch, shape, seed, passes, gpu);
  }
  std::filesystem::path packages() const override { return torch_libraries() / "../.."; }
};

}  // namespace
}  // namespace cpbench

extern "C" const cpbench::Torch* cpbench_open_torch() {
  static const cpbench::LoadedTorch torch;
  return &torch;
}
