// Reads the compressed lists in Slurm's environment variables.
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// The first host of a list: "gpu[003-006,9],login1" -> "gpu003". Throws std::invalid_argument if it
// is not a valid list.
std::string first_host(const std::string& hosts);

// The number of tasks on node `node`, counted from 0. The list "4(x2),1" describes two nodes with
// four tasks each and one node with one. Throws std::invalid_argument if it is not a valid list or
// has fewer nodes.
int32_t tasks_on_node(const std::string& tasks_per_node, int32_t node);

}  // namespace cpbench
