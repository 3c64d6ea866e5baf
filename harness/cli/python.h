// The Python that draws: of the project's own environment, else what is on PATH, as for
// scripts/plot.
#pragma once

#include <filesystem>
#include <string>

#include "harness/source_tree/source_tree.h"

namespace cpbench {

inline std::string python() {
  const std::filesystem::path own = source_tree() / ".venv" / "bin" / "python3";
  return std::filesystem::exists(own) ? own.string() : "python3";
}

}  // namespace cpbench
