// Splits the query heads of a call into blocks that an attention library can compute in one call.
#pragma once

#include <vector>

#include "harness/execute/kernel.h"

namespace cpbench {

// Query heads that are whole groups of grouped-query attention, or lie inside one group, and the KV
// heads that they read. Both are numbered from the first head of the call.
struct HeadBlock {
  Heads q, kv;
};
std::vector<HeadBlock> head_blocks(const AttentionShape& shape, Heads heads);

// The given heads of a matrix, numbered from its first one.
inline Matrix heads_of(const Matrix& matrix, Heads heads) {
  Matrix result = matrix;
  result.data += bytes_of(matrix.dtype) * heads.begin * matrix.width;
  result.heads = heads.size();
  return result;
}

}  // namespace cpbench
