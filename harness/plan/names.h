// The words for the enumerations of problems and plans, as every text form and message uses them.
//
//   name_of(Mask::causal)             "causal"
//   enum_named<Mask>("causal")        Mask::causal; nullopt if the word is not one of them
//   enum_names<Mask>()                all words, in the order of the enumeration
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

template <typename Enum>
std::span<const char* const> enum_names() = delete;
template <>
std::span<const char* const> enum_names<Tensor>();  // q kv o do dq dkv
template <>
std::span<const char* const> enum_names<CollectiveKind>();  // all_gather reduce_scatter all_to_all
template <>
std::span<const char* const> enum_names<GradientWire>();  // model accumulation
template <>
std::span<const char* const> enum_names<Mask>();  // document_causal causal document_full ...
template <>
std::span<const char* const> enum_names<Dtype>();  // float64 float32 bfloat16
template <>
std::span<const char* const> enum_names<Passes>();  // forward both

template <typename Enum>
const char* name_of(Enum value) {
  return enum_names<Enum>()[static_cast<size_t>(value)];
}

template <typename Enum>
std::optional<Enum> enum_named(const std::string& name) {
  const auto names = enum_names<Enum>();
  for (size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <typename Enum>
std::vector<std::string> enum_name_list() {
  const auto names = enum_names<Enum>();
  return {names.begin(), names.end()};
}

}  // namespace cpbench
