// The burst stream, after the stress workload of Flexible CP (arXiv 2602.21788). It consists of
// micro-batches of exactly `batch_tokens`. With probability `share` a micro-batch begins with one
// long document. All other lengths are uniform in min..max; the last ones are adjusted within that
// range so that the micro-batch ends exactly. In packs of `batch_tokens`, every pack is one
// micro-batch.
#pragma once

#include "workloads/streams.h"

namespace cpbench {

struct BurstOptions {
  int64_t long_tokens = 131072;
  double share = 0.5;             // of the micro-batches
  int64_t batch_tokens = 524288;  // >= long_tokens; the difference is 0 or >= min_tokens
  int64_t min_tokens = 512;
  int64_t max_tokens = 4096;  // >= 2 min_tokens, so that any rest can be split into documents
};

void validate(const BurstOptions& options);  // throws UserError with the numbers

class BurstStream : public LengthStream {
 public:
  BurstStream(uint64_t seed, const BurstOptions& options) : random_(seed), options_(options) {}
  int64_t next() override;

 private:
  Random random_;
  BurstOptions options_;
  int64_t room_ = 0;  // tokens left in the micro-batch
};

}  // namespace cpbench
