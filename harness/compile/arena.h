// Offsets for buffers whose lives are known, so that those alive together never overlap, and the
// blocks of a collective lie one after another.
#pragma once

#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

// Sets `offset` of every buffer; returns the bytes of the arena. Blocks of a collective live as
// long as any of them.
int64_t place(std::vector<Buffer>& buffers, const std::vector<CollectiveOp>& collectives);

}  // namespace cpbench
