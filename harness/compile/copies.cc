// Sets that were interned answer by name; others by a search from the newest buffer back.
#include "harness/compile/copies.h"

#include <algorithm>
#include <stdexcept>

namespace cpbench {
namespace {

bool holds(Heads outer, Heads inner) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

}  // namespace

void Copies::add(int32_t buffer) {
  const Buffer& added = builder_.buffer(buffer);
  const auto tensor = static_cast<size_t>(added.tensor);
  buffers_[tensor].push_back(buffer);
  newest_of_set_[tensor][added.tokens] = buffer;
}

int32_t Copies::holder(Tensor tensor, SetId tokens, Heads heads) {
  const auto& by_set = newest_of_set_[static_cast<size_t>(tensor)];
  const auto found = by_set.find(tokens);
  if (found != by_set.end() && holds(builder_.buffer(found->second).heads, heads)) {
    return found->second;
  }
  return holder(tensor, builder_.maps().sets()[tokens], heads);
}

int32_t Copies::holder(Tensor tensor, RangeSpan tokens, Heads heads) {
  const std::vector<int32_t>& buffers = buffers_[static_cast<size_t>(tensor)];
  for (size_t i = buffers.size(); i-- > 0;) {
    const Buffer& buffer = builder_.buffer(buffers[i]);
    if (!holds(buffer.heads, heads)) continue;
    if (contains_all(builder_.maps().sets()[buffer.tokens], tokens)) return buffers[i];
  }
  return -1;
}

void Copies::gather(int32_t target, Ranges tokens, Heads heads) {
  const Tensor tensor = builder_.buffer(target).tensor;
  const std::vector<int32_t>& buffers = buffers_[static_cast<size_t>(tensor)];
  struct Missing {
    Ranges tokens;
    Heads heads;
  };
  std::vector<Missing> missing;
  if (!tokens.empty()) missing.push_back({std::move(tokens), heads});
  for (size_t i = buffers.size(); i-- > 0 && !missing.empty();) {
    const int32_t source = buffers[i];
    const Heads held = builder_.buffer(source).heads;
    std::vector<Missing> still;
    for (Missing& part : missing) {
      const Heads common{std::max(held.begin, part.heads.begin),
                         std::min(held.end, part.heads.end)};
      Ranges found;
      if (common.size() > 0) {
        found = intersect(builder_.maps().sets()[builder_.buffer(source).tokens], part.tokens);
      }
      if (found.empty()) {
        still.push_back(std::move(part));
        continue;
      }
      builder_.move(RowMode::store, source, target, found, common);
      Ranges rest = subtract(part.tokens, found);
      if (!rest.empty()) still.push_back({std::move(rest), common});
      if (part.heads.begin < common.begin) {
        still.push_back({part.tokens, {part.heads.begin, common.begin}});
      }
      if (common.end < part.heads.end) {
        still.push_back({part.tokens, {common.end, part.heads.end}});
      }
    }
    missing = std::move(still);
  }
  if (!missing.empty()) throw std::logic_error("compile: the plan reads what is not there (P4)");
}

}  // namespace cpbench
