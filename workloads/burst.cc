#include "workloads/burst.h"

#include <fmt/format.h>

#include "harness/plan/errors.h"

namespace cpbench {

void validate(const BurstOptions& options) {
  if (options.max_tokens < 2 * options.min_tokens) {
    throw UserError(fmt::format("max={} must be at least twice min={}", options.max_tokens,
                                options.min_tokens));
  }
  int64_t rest = options.batch_tokens - options.long_tokens;
  bool rest_fits = rest == 0 || rest >= options.min_tokens;
  if (!rest_fits || options.batch_tokens < options.min_tokens) {
    throw UserError(fmt::format("batch={} must be long={}, or exceed it by min={} or more",
                                options.batch_tokens, options.long_tokens, options.min_tokens));
  }
}

int64_t BurstStream::next() {
  int64_t length = 0;
  if (room_ == 0) {
    room_ = options_.batch_tokens;
    if (random_.uniform() < options_.share) length = options_.long_tokens;
  }
  if (length == 0) {
    length = options_.min_tokens + random_.below(options_.max_tokens - options_.min_tokens + 1);
    // What remains of the micro-batch must be nothing, or enough for a document.
    if (room_ - length < options_.min_tokens) {
      length = room_ <= options_.max_tokens ? room_ : room_ - options_.min_tokens;
    }
  }
  room_ -= length;
  return length;
}

}  // namespace cpbench
