// The Python that draws: the one of the project's own environment, else the one on PATH, as in
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
