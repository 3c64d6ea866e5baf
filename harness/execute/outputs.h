// What a rank has computed for its home tokens, held against the reference.
#pragma once

#include "harness/execute/reference.h"
#include "harness/execute/row_ops.h"

namespace cpbench {

// In memory of the CPU.
struct HomeOutputs {
  const Ranges& home;  // tokens of the rows
  const BoundBuffer* o = nullptr;
  const BoundBuffer* dq = nullptr;  // nullptr after a forward pass
  const BoundBuffer* dkv = nullptr;
};

// The worse of the errors there and these.
void add_errors(const HomeOutputs& outputs, const Reference& reference, Accuracy& accuracy);

// Of every bit of O, its log-sum-exp and the gradients.
uint64_t hash_of(const HomeOutputs& outputs);

}  // namespace cpbench
