// The schedule as a plan. Steps, with s = 1 if anything is relaid, else 0, and S stages:
//
//   0          q, kv to the ranks that got the units; overlapped: half the work on home tokens
//   s          local work; stage 0 travels
//   s + t + 1  attention on what stage t brought; stage t + 1 travels
//   s + S + 1  o home; overlapped: the other half of the work on home tokens
//
// Backward: do travels in step 0, K,V again as in the forward pass, the dkv of stage t back along
// its edges in step s + t + 2, dq home in step s + S + 1, dkv one step later (with S = 0, in that
// one). The relaid q and kv are kept. In the base arm local work waits for the only stage.
#pragma once

#include "harness/plan/plan.h"
#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

Plan write_plan(const Problem& problem, Schedule schedule, Arm arm);

}  // namespace cpbench::fcp
