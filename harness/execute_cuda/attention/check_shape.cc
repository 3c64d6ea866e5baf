#include "harness/execute_cuda/attention/check_shape.h"

#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"

namespace cpbench {
namespace {

[[noreturn]] void refuse(const std::string& kernel, const std::string& needs,
                         const std::string& found, const std::string& other) {
  throw UserError("kernel '" + kernel + "' requires " + needs + ", not " + found + "; kernel '" +
                  other + "' supports it");
}

std::string capability_text(int32_t capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

void check_dtype(const std::string& kernel, const AttentionShape& shape) {
  if (shape.dtype == Dtype::bfloat16) return;
  refuse(kernel, "dtype bfloat16", name_of(shape.dtype), "reference");
}

void check_head_dim(const std::string& kernel, int32_t dim, int32_t multiple, int32_t most,
                    const std::string& other) {
  if (dim % multiple == 0 && dim <= most) return;
  refuse(kernel,
         "a head_dim of at most " + std::to_string(most) + " and a multiple of " +
             std::to_string(multiple),
         std::to_string(dim), other);
}

void check_flash_dims(const std::string& kernel, const AttentionShape& shape) {
  check_dtype(kernel, shape);
  if (shape.head_dim != shape.value_head_dim) {
    refuse(kernel, "value_head_dim = head_dim",
           std::to_string(shape.value_head_dim) + " and " + std::to_string(shape.head_dim),
           "reference");
  }
  check_head_dim(kernel, shape.head_dim, 8, 256, "reference");
}

}  // namespace

void check_flash_shape(const AttentionShape& shape, int32_t capability) {
  if (capability < 80) {
    refuse("flash", "a GPU of compute capability 8.0 or newer", capability_text(capability),
           "reference");
  }
  check_flash_dims("flash", shape);
}

void check_flash3_shape(const AttentionShape& shape, int32_t capability) {
  if (capability / 10 != 9) {
    refuse("flash3", "a GPU of compute capability 9.x", capability_text(capability),
           capability < 80 ? "reference" : "flash");
  }
  check_flash_dims("flash3", shape);
}

void check_cudnn_shape(const AttentionShape& shape, int32_t capability) {
  check_dtype("cudnn", shape);
  // On other GPUs, also of capability 12.x, cuDNN requires padded sequences or has no backward pass
  // for ragged ones.
  const bool hopper = capability / 10 == 9;
  if (!hopper && capability / 10 != 10) {
    refuse("cudnn", "a GPU of compute capability 9.x or 10.x", capability_text(capability),
           capability < 80 ? "reference" : "flash");
  }
  // DeepSeek's latent attention.
  if (shape.head_dim == 192 && shape.value_head_dim == 128) return;
  if (shape.head_dim != shape.value_head_dim) {
    refuse("cudnn", "value_head_dim = head_dim, or 128 and 192",
           std::to_string(shape.value_head_dim) + " and " + std::to_string(shape.head_dim),
           "reference");
  }
  // Multiples of 8 work too, but then the backward pass pads all sequences to the longest.
  const int32_t most = hopper ? 256 : 128;
  check_head_dim("cudnn", shape.head_dim, 16, most,
                 shape.head_dim % 8 == 0 && shape.head_dim <= 256 ? "flash" : "reference");
}

// Before 9.18 the backward pass on Hopper does not initialise parts of its workspace if there are
// rows between the sequences, and gradients become NaN (reported by users of TransformerEngine).
// This also excludes the bugs of 9.10.0, 9.10.1 and 9.14.0, and versions before 9.7, which have no
// bottom-right masks with padding.
void check_cudnn_version(int64_t version) {
  constexpr int64_t kLeast = 91800;
  if (version >= kLeast) return;
  const auto text = [](int64_t v) {
    return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." +
           std::to_string(v % 100);
  };
  throw UserError("kernel 'cudnn' requires cuDNN " + text(kLeast) + " or newer, not " +
                  text(version) + "; torch 2.11 comes with 9.19");
}

}  // namespace cpbench
