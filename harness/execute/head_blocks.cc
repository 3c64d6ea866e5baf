#include "harness/execute/head_blocks.h"

#include <algorithm>

#include "harness/plan/plan_bytes.h"

namespace cpbench {

std::vector<HeadBlock> head_blocks(const AttentionShape& shape, Heads heads) {
  const int32_t group = shape.query_heads / shape.kv_heads;
  const Heads kv = kv_heads_of(heads, shape);
  if (kv.size() == 1 || (heads.begin % group == 0 && heads.end % group == 0)) {
    return {{{0, heads.size()}, {0, kv.size()}}};
  }
  std::vector<HeadBlock> blocks;
  for (int32_t head = kv.begin; head < kv.end; ++head) {
    blocks.push_back({{std::max(heads.begin, head * group) - heads.begin,
                       std::min(heads.end, (head + 1) * group) - heads.begin},
                      {head - kv.begin, head - kv.begin + 1}});
  }
  return blocks;
}

}  // namespace cpbench
