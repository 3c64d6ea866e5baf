#include "harness/plan/mask_text.h"

#include "harness/plan/errors.h"
#include "harness/plan/limits.h"
#include "harness/plan/names.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/plan/sizes.h"

namespace cpbench {
namespace {
constexpr int64_t kMaxLayers = 1'000'000;
}  // namespace

DocumentRule parse_mask(const std::string& text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string name = text.substr(0, colon);
  const auto mask = enum_named<Mask>(name);
  if (!mask) throw UserError(unknown_name("mask", name, enum_name_list<Mask>()));
  if (colon == text.size()) return {*mask, 0};
  if (!has_window(*mask)) {
    throw UserError("'" + shown(text) + "': mask " + name + " has no window; write " + name);
  }
  const int64_t window = parse_size(text.substr(colon + 1));
  if (window < 1 || window > kMaxTokens) {
    throw UserError("'" + shown(text) + "': the window must be from 1 to " + size_text(kMaxTokens) +
                    " tokens");
  }
  return {*mask, window};
}

std::string mask_text(const DocumentRule& rule) {
  const std::string name = name_of(rule.mask);
  return rule.window == 0 ? name : name + ":" + size_text(rule.window);
}

std::vector<LayerMask> parse_masks(const std::string& text) {
  std::vector<LayerMask> masks;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('+', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    const size_t star = std::min(one.find('*'), one.size());
    LayerMask mask{parse_mask(one.substr(0, star))};
    if (star < one.size()) mask.layers = parse_size(one.substr(star + 1));
    if (mask.layers < 1 || mask.layers > kMaxLayers) {
      throw UserError("'" + shown(one) + "': the layers must be from 1 to " +
                      std::to_string(kMaxLayers));
    }
    masks.push_back(mask);
    begin = end + 1;
  }
  return masks;
}

std::string meaning_of(Mask mask) {
  switch (mask) {
    case Mask::document_causal:
      return "itself and the earlier tokens of its document";
    case Mask::causal:
      return "itself and the earlier tokens of the whole pack";
    case Mask::document_full:
      return "all tokens of its document";
    case Mask::sliding_window:
      return "the latest tokens of its document up to itself, as many as the window";
    case Mask::block_causal:
      return "all tokens of its block, and of the earlier blocks of its document";
    case Mask::chunked:
      return "itself and the earlier tokens of its chunk of the document";
    case Mask::prefix:
      return "as document_causal, but the tokens of the document's prefix all see each other";
  }
  return "";
}

std::string window_of(Mask mask) {
  switch (mask) {
    case Mask::sliding_window:
      return "tokens that a query sees, with itself";
    case Mask::block_causal:
      return "tokens of a block";
    case Mask::chunked:
      return "tokens of a chunk";
    case Mask::prefix:
      return "tokens of the prefix";
    default:
      return "";
  }
}

}  // namespace cpbench
