// Reads and writes measured attention calls, to which `cpbench calibrate` fits a kernel model.
//
//   segments,q_tokens,kv_tokens,mask,q_heads,head_dim,forward_milliseconds,backward_milliseconds
//   1,4096,18432,causal,32,128,3.091,
//   1000+1,128+16384,128+16384,causal,32,128,5.2,14.9
//
// A file is CSV of at most 64 MiB with a header; lines that begin with # are comments. Each row is
// one call:
//   segments, q_tokens, kv_tokens  number and size of equal segments; several kinds joined by +
//   or batch, tokens               the same for segments with as many queries as keys
//   mask                           causal (aligned bottom right) or full; the default is causal
//   q_heads, head_dim              all rows must have the same head_dim
//   forward_milliseconds           or milliseconds; may be empty
//   backward_milliseconds          may be empty
// The columns kv_heads, forward_tflops and backward_tflops are allowed and not used.
#pragma once

#include <string>
#include <vector>

#include "harness/cost/kernel_fit.h"

namespace cpbench {

struct MeasuredCalls {
  int32_t head_dim = 0;
  std::vector<KernelSample> forward;
  std::vector<KernelSample> backward;
};

// Times in a wrong unit are recognised by `peak_flops_per_second` of the GPU; 0: unknown. Throws
// UserError with file, line and column.
MeasuredCalls read_measured_calls(const std::vector<std::string>& paths,
                                  double peak_flops_per_second);

// The text of such a file. The calls were measured in both directions, in the same order, and the
// segments of each call have the same mask.
std::string measured_calls_csv(const MeasuredCalls& calls);

}  // namespace cpbench
