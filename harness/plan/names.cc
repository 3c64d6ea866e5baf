#include "harness/plan/names.h"

#include <array>

namespace cpbench {
namespace {

// In the order of the enumerations.
constexpr std::array kTensorNames = {"q", "kv", "o", "do", "dq", "dkv"};
constexpr std::array kCollectiveNames = {"all_gather", "reduce_scatter", "all_to_all"};
constexpr std::array kGradientWireNames = {"model", "accumulation"};
constexpr std::array kMaskNames = {"document_causal", "causal", "document_full", "sliding_window"};
constexpr std::array kDtypeNames = {"float64", "float32", "bfloat16"};

template <typename Enum, size_t N>
std::optional<Enum> find(const std::array<const char*, N>& names, const std::string& name) {
  for (size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

const char* name_of(Tensor tensor) { return kTensorNames[static_cast<size_t>(tensor)]; }
const char* name_of(CollectiveKind kind) { return kCollectiveNames[static_cast<size_t>(kind)]; }
const char* name_of(GradientWire wire) { return kGradientWireNames[static_cast<size_t>(wire)]; }
const char* name_of(Mask mask) { return kMaskNames[static_cast<size_t>(mask)]; }
const char* name_of(Dtype dtype) { return kDtypeNames[static_cast<size_t>(dtype)]; }

std::optional<Tensor> tensor_named(const std::string& name) {
  return find<Tensor>(kTensorNames, name);
}
std::optional<CollectiveKind> collective_named(const std::string& name) {
  return find<CollectiveKind>(kCollectiveNames, name);
}
std::optional<GradientWire> gradient_wire_named(const std::string& name) {
  return find<GradientWire>(kGradientWireNames, name);
}
std::optional<Mask> mask_named(const std::string& name) { return find<Mask>(kMaskNames, name); }
std::optional<Dtype> dtype_named(const std::string& name) { return find<Dtype>(kDtypeNames, name); }

std::vector<std::string> mask_names() { return {kMaskNames.begin(), kMaskNames.end()}; }
std::vector<std::string> dtype_names() { return {kDtypeNames.begin(), kDtypeNames.end()}; }

}  // namespace cpbench
