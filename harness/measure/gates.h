// Sanity gates: conditions that every correct run meets. A run that violates one is `failed`,
// whatever its time.
//
//   result.error = failed_gate(result);   // "" if all hold
//
// G1  MFU is at most 1: a run cannot exceed the peak of the hardware
// G2  bytes travel if a document is split over ranks
// G3  the bytes that the transport counted equal the planned bytes
// G4  output and gradients agree with the single-device reference within the tolerance
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

// The first gate that fails, in one line with its label and the numbers; "" if all hold.
std::string failed_gate(const Result& result);

}  // namespace cpbench
