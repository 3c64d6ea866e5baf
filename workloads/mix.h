// Length sets mixed by what each contributes to the tokens, as data mixtures are published.
//
//   Mix mix = parse_mix("mix:web=0.9,books=0.1");   // nine tokens of ten are of web pages
//
// A set's share of the documents is its share of the tokens over its mean length. Documents are
// independent. Shares need not sum to 1.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workloads/histogram.h"
#include "workloads/streams.h"

namespace cpbench {

struct MixPart {
  std::shared_ptr<const LengthHistogram> set;
  double token_share = 0;           // sums to 1 over the mix
  double up_to_document_share = 0;  // running sum; 1 at the last
};
using Mix = std::vector<MixPart>;

bool names_mix(const std::string& text);  // "mix" or "mix:..."

// Throws UserError that names the mix, the set or the share, and what would be right.
Mix parse_mix(const std::string& text);
StreamFactory make_mix(const Mix& mix);

}  // namespace cpbench
