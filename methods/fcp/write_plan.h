// The schedule as a plan. Steps, with s = 1 if anything is relaid, else 0, and S stages:
//
//   0          kv to the ranks that got the units; attention that needs home tokens alone
//   s + t      stage t travels
//   s + t + 1  attention on what stage t brought
//
// Local attention is where agenda.h puts it. q of a job comes in the step before its first
// attention, o goes home in the step after its last; before the last arm, in step 0 and in step s +
// S + 1. Backward: do and dq alike, K,V again as in the forward pass, the dkv of stage t back along
// its edges in step s + t + 2, dkv home in step s + S + 2 (with S = 0, one earlier). The relaid q
// and kv are kept.
//
// The base arm has one stage, of as many sub-stages as it takes, each of which is attended in a
// step of its own afterwards.
#pragma once

#include "harness/plan/plan.h"
#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

Plan write_plan(const Problem& problem, Schedule schedule, Arm arm);

}  // namespace cpbench::fcp
