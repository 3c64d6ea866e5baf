// Sanity gates: what no correct run can show. A cell that fails one is `failed`, whatever its time.
//
//   result.error = failed_gate(result);   // "" when all hold
//
// G1  no more than the hardware's peak (MFU <= 1)
// G2  a document that is split over ranks makes bytes travel
// G3  the bytes that the transport counted are the bytes that were planned
// G4  output and gradients agree with the single-device reference within the tolerance
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

// The first gate that fails, in one line with its label and the numbers; "" when all hold.
std::string failed_gate(const Result& result);

}  // namespace cpbench
