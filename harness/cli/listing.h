// What `cpbench list KIND` prints: one table per kind, made from the registries.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"

namespace cpbench {

struct ListKind {
  std::string name;  // "strategies"
  std::string one;   // "strategy"
  std::string help;
  Table (*table)();  // first column "name"
};

const std::vector<ListKind>& list_kinds();
std::vector<std::string> list_kind_names();

}  // namespace cpbench
