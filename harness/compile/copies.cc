// A set that is in one buffer exactly as requested is found by its name. Other sets are found by a
// search from the newest buffer to the oldest, which leaves out those of other homes.
#include "harness/compile/copies.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cpbench {
void Copies::add(int32_t buffer) {
  const Buffer& added = builder_.buffer(buffer);
  const auto tensor = static_cast<size_t>(added.tensor);
  const SetId tokens = builder_.tokens_of(buffer);
  std::vector<int32_t>& newest = newest_of_home_[tensor];
  const size_t home = builder_.sets().home_of(tokens) + 1;
  if (home >= newest.size()) newest.resize(home + 1, kNone);
  before_[tensor].push_back(
      std::exchange(newest[home], static_cast<int32_t>(buffers_[tensor].size())));
  buffers_[tensor].push_back(buffer);
  newest_of_set_[tensor][tokens] = buffer;
}

bool Copies::holds(int32_t buffer, SetId tokens, Heads heads) {
  return builder_.buffer(buffer).heads.contains(heads) &&
         builder_.sets().contains(builder_.tokens_of(buffer), tokens);
}

int32_t Copies::holder(Tensor tensor, SetId tokens, Heads heads) {
  const auto index = static_cast<size_t>(tensor);
  const auto& by_set = newest_of_set_[index];
  const auto found = by_set.find(tokens);
  if (found != by_set.end() && builder_.buffer(found->second).heads.contains(heads)) {
    return found->second;
  }
  const std::vector<int32_t>& buffers = buffers_[index];
  const int32_t home = builder_.sets().home_of(tokens);
  if (home < 0) {
    const auto newest = std::find_if(buffers.rbegin(), buffers.rend(),
                                     [&](int32_t buffer) { return holds(buffer, tokens, heads); });
    return newest == buffers.rend() ? -1 : *newest;
  }
  int32_t newest = kNone;
  for (const size_t owner : {home + 1, 0}) {
    if (owner >= newest_of_home_[index].size()) continue;
    int32_t place = newest_of_home_[index][owner];
    while (place > newest && !holds(buffers[place], tokens, heads)) place = before_[index][place];
    newest = std::max(newest, place);
  }
  return newest < 0 ? -1 : buffers[newest];
}

void Copies::gather(int32_t target, SetId tokens, Heads heads) {
  if (gather_disjoint(target, tokens, heads)) return;
  const RangeSpan wanted = builder_.sets()[tokens];
  gather_newest(target, {wanted.begin(), wanted.end()}, heads);
}

// Near-linear if the newest buffers of the sets hold every token once: then they hold exactly as
// many tokens as are requested, and all of these are somewhere (P4). Otherwise returns false and
// does nothing.
bool Copies::gather_disjoint(int32_t target, SetId tokens, Heads heads) {
  const auto tensor = static_cast<size_t>(builder_.buffer(target).tensor);
  RankSets& sets = builder_.sets();
  std::vector<int32_t> sources;
  int64_t missing = sets.size_of(tokens);
  for (size_t i = buffers_[tensor].size(); i-- > 0;) {
    const int32_t source = buffers_[tensor][i];
    const SetId held = builder_.tokens_of(source);
    if (newest_of_set_[tensor][held] != source) continue;
    const int64_t here = sets.size_of_intersection(held, tokens);
    if (here == 0) continue;
    if (!builder_.buffer(source).heads.contains(heads)) return false;
    missing -= here;
    if (missing < 0) return false;
    sources.push_back(source);
  }
  if (missing != 0) return false;
  for (int32_t source : sources) builder_.move(RowMode::store, source, target, tokens, heads);
  return true;
}

void Copies::gather_newest(int32_t target, Ranges tokens, Heads heads) {
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
        found = intersect(builder_.sets()[builder_.tokens_of(source)], part.tokens);
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
  if (!missing.empty())
    throw std::logic_error("compile: the plan reads tokens that are not on the rank (P4)");
}

}  // namespace cpbench
