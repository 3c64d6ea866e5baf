// Offsets for buffers whose lives are known, so that those alive together never overlap.
#pragma once

#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

// Sets `offset` of every buffer; returns the bytes of the arena.
int64_t place(std::vector<Buffer>& buffers);

}  // namespace cpbench
