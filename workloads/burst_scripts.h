// The burst stream after the authors' public test scripts of Flexible CP (arXiv 2602.21788). A
// micro-batch has `samples` documents. With probability `share` one of them is long, and the others
// are nearly equal: within 10% of an equal share of what remains of `batch_tokens`, clamped to
// min..max. Otherwise all are uniform in min..max. A micro-batch need not be full, and a pack ends
// with it.
//
// With `bucket_tokens`, the stream is what a static setup computes there: the documents of a
// micro-batch are packed first-fit decreasing into buckets, and every bucket, also an empty one, is
// filled up with padding, which counts as documents of at most `padding_tokens`. Then a micro-batch
// has exactly `batch_tokens`, unless its documents do not fit; the next ones follow in more
// buckets.
#pragma once

#include <vector>

#include "workloads/streams.h"

namespace cpbench {

struct BurstScriptsOptions {
  int64_t long_tokens = 131072;
  double share = 0.5;             // of the micro-batches
  int64_t batch_tokens = 524288;  // most tokens of a micro-batch
  int64_t samples = 64;           // documents of a micro-batch, >= 2
  int64_t min_tokens = 512;
  int64_t max_tokens = 4096;
  int64_t bucket_tokens = 0;        // 0: no padding; must divide batch_tokens
  int64_t padding_tokens = 131072;  // >= 1
};

void validate(const BurstScriptsOptions& options);  // throws UserError with the numbers

class BurstScriptsStream : public LengthStream {
 public:
  BurstScriptsStream(uint64_t seed, const BurstScriptsOptions& options)
      : random_(seed), options_(options) {}
  int64_t next() override;
  bool ends_pack() const override { return next_ == micro_batch_.size(); }

 private:
  void draw();
  void pad();

  Random random_;
  BurstScriptsOptions options_;
  std::vector<int64_t> micro_batch_;
  size_t next_ = 0;
};

}  // namespace cpbench
