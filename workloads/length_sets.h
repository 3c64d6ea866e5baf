// Length sets with settings, and the documents of a pack as text.
//
//   pile:cap=0.25                        documents longer than a quarter of the pack are cut into
//                                        pieces of that length and a rest
//   documents:2K+59136+4352              these documents, in this order, again and again
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "workloads/histogram.h"
#include "workloads/streams.h"

namespace cpbench {

struct LengthSet {
  LengthHistogram histogram;
  double cap = 0;  // share of a pack; 0: none
};

// The shipped set that the text names before its colon, if any. Throws UserError for a setting that
// is unknown or out of range.
std::optional<LengthSet> find_length_set(const std::string& text);

bool names_documents(const std::string& text);  // "documents:..."
// Throws UserError with the length that is wrong.
StreamFactory make_documents(const std::string& text);

// Cuts documents longer than `longest` tokens into pieces of that length and a rest.
std::unique_ptr<LengthStream> cut_at(std::unique_ptr<LengthStream> stream, int64_t longest);

}  // namespace cpbench
