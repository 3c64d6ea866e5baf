// What a rank has computed for its home tokens, and how far it is from the reference.
#pragma once

#include "harness/execute/layer.h"
#include "harness/execute/reference.h"
#include "harness/execute/row_ops.h"

namespace cpbench {

// The outputs in the memory of the host.
struct HomeOutputs {
  const Ranges& home;  // the tokens of the rows
  const BoundBuffer* o = nullptr;
  const BoundBuffer* dq = nullptr;  // nullptr after a forward pass
  const BoundBuffer* dkv = nullptr;
  const LayerOutputs* layer = nullptr;  // if there is a layer around the attention
  // The gradient of the attention sinks' logits from the home tokens [query heads]; empty without
  // sinks or after a forward pass.
  std::span<const double> sinks{};
};

// Raises the errors in `accuracy` to those of the outputs, where these are larger. With a layer,
// these are its outputs and the gradients of its input.
void add_errors(const HomeOutputs& outputs, const Reference& reference, Accuracy& accuracy);

// A hash of every bit of O, its log-sum-exp and the gradients.
uint64_t hash_of(const HomeOutputs& outputs);

}  // namespace cpbench
