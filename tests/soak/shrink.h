// Makes a failing case small enough to understand.
#pragma once

#include <functional>

#include "tests/soak/soak_case.h"

namespace cpbench::soak {

// Drops and joins documents, halves lengths, takes fewer ranks and heads and default options, one
// thing at a time, as long as the case still fails. The result does not fail with any one of these
// done.
Case shrink(Case failing, const std::function<bool(const Case&)>& fails);

}  // namespace cpbench::soak
