#include "harness/source_tree/source_tree.h"

namespace cpbench {

std::filesystem::path source_tree() { return CPBENCH_SOURCE_DIR; }
std::filesystem::path build_tree() { return CPBENCH_BINARY_DIR; }

}  // namespace cpbench
