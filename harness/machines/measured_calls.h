// Reads measured attention calls, from which `cpbench calibrate` fits a kernel model.
//
//   segments,q_tokens,kv_tokens,mask,q_heads,head_dim,forward_milliseconds,backward_milliseconds
//   1,4096,18432,causal,32,128,3.091,
//   1000+1,128+16384,128+16384,causal,32,128,5.2,14.9
//
// CSV with a header; lines that open with # are comments. One row is one call:
//   segments, q_tokens, kv_tokens   as many equal segments; of several kinds joined by +
//   or batch, tokens                as many square segments
//   mask                            causal (aligned bottom right) or full; without it: causal
//   q_heads, head_dim               one head size for all rows
//   forward_milliseconds (or milliseconds), backward_milliseconds   may be empty
// kv_heads, forward_tflops and backward_tflops may be there and are not used.
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

// `peak_flops_per_second` of the GPU catches times in a wrong unit; 0: unknown. Throws UserError
// with file, line and column.
MeasuredCalls read_measured_calls(const std::vector<std::string>& paths,
                                  double peak_flops_per_second);

// As such a file: `calls` that were each measured in both directions, in the same order, with one
// mask each.
std::string measured_calls_csv(const MeasuredCalls& calls);

}  // namespace cpbench
