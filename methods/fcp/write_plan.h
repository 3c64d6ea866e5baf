// Writes the schedule as a plan. The steps, with s = 1 if any token is moved and s = 0 otherwise,
// and S stages:
//
//   0          kv goes to the ranks of the units; attention that needs only home tokens
//   s + t      stage t travels
//   s + t + 1  attention to what stage t brought
//
// Local attention is in the steps that agenda.h chooses. q of a job comes in the step before its
// first attention, and o goes home in the step after its last; in the arms before the last one,
// this is in step 0 and in step s + S + 1. In the backward pass do and dq move in the same way, K,V
// is sent again as in the forward pass, the dkv of stage t returns along its edges in step s + t +
// 2, and dkv goes home in step s + S + 2 (with S = 0, one step earlier). The q and kv that were
// moved are kept.
//
// The base arm has one stage with as many sub-stages as it takes. Each of these is attended in a
// step of its own afterwards.
#pragma once

#include "harness/plan/plan.h"
#include "methods/fcp/schedule.h"

namespace cpbench::fcp {

Plan write_plan(const Problem& problem, Schedule schedule, Arm arm);

}  // namespace cpbench::fcp
