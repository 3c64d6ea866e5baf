// Slurm's compressed lists, as its environment variables write them.
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// "gpu[003-006,9],login1" -> "gpu003". Throws std::invalid_argument if it is no such list.
std::string first_host(const std::string& hosts);

// "4(x2),1": two nodes of four tasks and one of one; `node` counts from 0. Throws
// std::invalid_argument if it is no such list, or has no such node.
int32_t tasks_on_node(const std::string& tasks_per_node, int32_t node);

}  // namespace cpbench
