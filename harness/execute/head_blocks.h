// Query heads of a call in blocks that attention libraries can do in one go.
#pragma once

#include <vector>

#include "harness/execute/kernel.h"

namespace cpbench {

// Query heads (of the call) that read the same number of KV heads each, in whole groups or inside
// one group, with the KV heads (of the call) they read.
struct HeadBlock {
  Heads q, kv;
};
std::vector<HeadBlock> head_blocks(const AttentionShape& shape, Heads heads);

// The part of a matrix that holds these of its heads.
inline Matrix heads_of(const Matrix& matrix, Heads heads) {
  Matrix result = matrix;
  result.data += bytes_of(matrix.dtype) * heads.begin * matrix.width;
  result.heads = heads.size();
  return result;
}

}  // namespace cpbench
