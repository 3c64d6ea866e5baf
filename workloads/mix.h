// Mixes of length sets by their shares of the tokens, as data mixtures are published.
//
//   Mix mix = parse_mix("mix:web=0.9,books=0.1");   // nine of ten tokens come from web pages
//
// The share of a set in the documents is its share of the tokens divided by its mean length.
// Documents are independent. Shares need not sum to 1.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workloads/histogram.h"
#include "workloads/streams.h"

namespace cpbench {

struct MixPart {
  std::shared_ptr<const LengthHistogram> set;
  double token_share = 0;  // sums to 1 over the mix
  double up_to_document_share =
      0;  // running sum of the shares of the documents; 1 at the last part
};
using Mix = std::vector<MixPart>;

bool names_mix(const std::string& text);  // "mix" or "mix:..."

// Throws UserError with the mix, the set or share that is wrong, and what it must be.
Mix parse_mix(const std::string& text);
StreamFactory make_mix(const Mix& mix);

}  // namespace cpbench
