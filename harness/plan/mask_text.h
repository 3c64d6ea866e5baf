// Masks as users write them, with the tokens of their window, block, chunk or prefix.
//
//   parse_mask("sliding_window:1K")      {Mask::sliding_window, 1024}
//   parse_mask("document_causal")        {Mask::document_causal, 0}
//   parse_masks("document_causal*10+sliding_window:1K*52")   those of 10 layers and of 52
#pragma once

#include <string>
#include <vector>

#include "harness/plan/problem.h"

namespace cpbench {

// The window is 0 if the text has none. Throws UserError for an unknown mask, a window that is not
// a size of at least 1, and a window of a mask that has none.
DocumentRule parse_mask(const std::string& text);

// The text that reads back to the rule.
std::string mask_text(const DocumentRule& rule);

// One or more masks joined by '+', each with "*LAYERS" where it is that of several layers. Throws
// UserError as parse_mask does, and for a number of layers that is not at least 1.
std::vector<LayerMask> parse_masks(const std::string& text);

std::string meaning_of(Mask mask);  // which keys a query sees, in one line
std::string window_of(Mask mask);   // what its window is; "" if it has none

}  // namespace cpbench
