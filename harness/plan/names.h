// The words for the plan's enumerations, used by every text form and message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

const char* name_of(Tensor tensor);        // q kv o do dq dkv
const char* name_of(CollectiveKind kind);  // all_gather reduce_scatter all_to_all
const char* name_of(GradientWire wire);    // model accumulation
const char* name_of(Mask mask);            // document_causal causal document_full sliding_window
const char* name_of(Dtype dtype);          // float64 float32 bfloat16

// nullopt for a word that names none.
std::optional<Tensor> tensor_named(const std::string& name);
std::optional<CollectiveKind> collective_named(const std::string& name);
std::optional<GradientWire> gradient_wire_named(const std::string& name);
std::optional<Mask> mask_named(const std::string& name);
std::optional<Dtype> dtype_named(const std::string& name);

std::vector<std::string> mask_names();
std::vector<std::string> dtype_names();

}  // namespace cpbench
