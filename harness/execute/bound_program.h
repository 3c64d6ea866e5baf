// A rank's program with its arena at an address, in the memory of the host or of a GPU: the kernel
// calls are ready to be launched.
#pragma once

#include <vector>

#include "harness/execute/bound_buffer.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct BoundProgram {
  BoundProgram(const RankProgram& program, const AttentionShape& shape, std::byte* arena);

  std::vector<BoundBuffer> buffers;
  std::vector<ForwardCall> forward;    // the first calls of the program
  std::vector<BackwardCall> backward;  // those after them
};

// `op` must not be a message or collective.
Activity activity_of(const RankProgram& program, const Op& op);

}  // namespace cpbench
