// The text form of a plan, for golden tests and diffs. It is stable, and reading it back gives the
// same plan.
//
//   plan ranks 2 tokens 8 query_heads 1 gradient_wire model
//   tokens 1 0-4                 token set 1 is [0, 4)
//   ranks 1 0-1                  rank set 1 is {0}
//   home 0 1                     rank 0 owns token set 1
//   forward lookahead 1
//   collective 0 all_gather 4    collective 0 pads its blocks to 4 tokens
//   attend 0 rank 0 q 1 kv 1 heads 0-1
//   send 0.0 from 1 to 2 kv 1 heads 0-1 collective 0     step 0, sub-stage 0, between rank sets
//   backward lookahead 1
//   keep 0 kv 2 heads 0-1        rank 0 keeps kv of token set 2
#pragma once

#include <string>

#include "harness/plan/plan.h"

namespace cpbench {

std::string plan_text(const Plan& plan);
// Throws UserError ("line 7: ...") if the text is not a plan. It does not check the plan.
Plan plan_from_text(const std::string& text);

std::string ranges_text(RangeSpan ranges);  // "0-4,8-12"; "-" for the empty set

}  // namespace cpbench
