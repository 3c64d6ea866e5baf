// A rank's program with its arena at an address, of this machine's memory or a GPU's.
#pragma once

#include <vector>

#include "harness/execute/bound_buffer.h"

namespace cpbench {

struct BoundProgram {
  BoundProgram(const RankProgram& program, const AttentionShape& shape, std::byte* arena);

  std::vector<BoundBuffer> buffers;
  std::vector<ForwardCall> forward;    // the first calls of the program
  std::vector<BackwardCall> backward;  // those after them
};

}  // namespace cpbench
