// Offsets in one arena for buffers whose lives are known. Buffers that are alive together never
// overlap, and the blocks of a collective lie one after another.
#pragma once

#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

// Sets `offset` of every buffer and returns the size of the arena in bytes. The blocks of a
// collective are all alive as long as any of them is.
int64_t place(std::vector<Buffer>& buffers, const std::vector<CollectiveOp>& collectives);

}  // namespace cpbench
