// The document lengths of a real corpus as a compact histogram, with its provenance: a file in
// lengths/.
//
//   LengthHistogram pile = parse_histogram(find_preset(PresetKind::lengths, "pile"));
//   int64_t median = pile.quantile(0.5);
//
// scripts/derive_lengths writes the files and explains their keys.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/presets/presets.h"
#include "workloads/sampling.h"

namespace cpbench {

struct HistogramBin {
  PowerLaw law;       // lengths low..high, and their density inside the bin
  int64_t count = 0;  // documents, or millionths of them where only shares are published
};

struct LengthHistogram {
  std::string name, title, description, source, licence, tokenizer, cautions;
  int64_t documents = 0;  // in the raw data; 0: not published
  // (share, length): this share of the documents has at most this length.
  std::vector<std::pair<double, int64_t>> published;
  double published_mean = 0;       // tokens; 0: not published
  std::vector<HistogramBin> bins;  // ascending, not empty
  std::vector<int64_t> ends;       // running sums of the counts

  int64_t quantile(double u) const;  // 0 <= u < 1; the inverse of the distribution function
  double mean() const;               // of the lengths that are drawn, from 64 points in each bin
  int64_t smallest() const { return bins.front().law.low; }
  int64_t largest() const { return bins.back().law.high; }
};

// Throws UserError with the set and the key that is missing or wrong.
LengthHistogram parse_histogram(const Preset& preset);

}  // namespace cpbench
