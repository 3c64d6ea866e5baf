// The parts of the module, which torch_module.cc puts together (see harness/execute/torch.h).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "harness/execute/kernel.h"
#include "harness/execute/layer.h"
#include "harness/execute/reference.h"

namespace cpbench {

// LibTorch uses this many cores for what the calling thread calls. Its number of threads is a
// property of each thread.
void use_cores(Cores cores);

std::unique_ptr<Kernel> make_fused_kernel(Cores cores);
void run_layer_ops(const std::vector<LayerOp>& ops, Cores cores);
double measure_core_peak(Dtype dtype);
std::filesystem::path torch_libraries();  // the folder of libtorch_cpu.so
bool cuda_tensors_work();
Reference exact_attention(const Batch& batch, const AttentionShape& shape, uint64_t seed,
                          Passes passes, std::optional<int32_t> gpu);

}  // namespace cpbench
