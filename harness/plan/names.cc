#include "harness/plan/names.h"

namespace cpbench {
namespace {

// In the order of the enumerations.
constexpr const char* kTensorWords[] = {"q", "kv", "o", "do", "dq", "dkv"};
constexpr const char* kCollectives[] = {"all_gather", "reduce_scatter", "all_to_all"};
constexpr const char* kGradientWires[] = {"model", "accumulation"};
constexpr const char* kMasks[] = {"document_causal", "causal",  "document_full", "sliding_window",
                                  "block_causal",    "chunked", "prefix"};
constexpr const char* kDtypes[] = {"float64", "float32", "bfloat16"};
constexpr const char* kPasses[] = {"forward", "both"};

}  // namespace

template <>
std::span<const char* const> enum_names<Tensor>() {
  return kTensorWords;
}
template <>
std::span<const char* const> enum_names<CollectiveKind>() {
  return kCollectives;
}
template <>
std::span<const char* const> enum_names<GradientWire>() {
  return kGradientWires;
}
template <>
std::span<const char* const> enum_names<Mask>() {
  return kMasks;
}
template <>
std::span<const char* const> enum_names<Dtype>() {
  return kDtypes;
}
template <>
std::span<const char* const> enum_names<Passes>() {
  return kPasses;
}

}  // namespace cpbench
