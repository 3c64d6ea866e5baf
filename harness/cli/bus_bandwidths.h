// The bus bandwidths of a simulated cluster as a table, with the commands of nccl-tests that
// measure them on the real one: `cpbench doctor --cluster NAME`.
#pragma once

#include <string>

#include "harness/cli/table.h"

namespace cpbench {

// `cluster` is a name or a file. Throws UserError for what is neither.
std::string bus_bandwidths(const std::string& cluster, Format format, const View& view);

}  // namespace cpbench
