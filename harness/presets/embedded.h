// The TOML files that harness/presets/CMakeLists.txt compiled in. Only presets.cc includes this;
// all others use presets.h.
#pragma once

#include <span>

#include "harness/presets/presets.h"

namespace cpbench {

struct EmbeddedFile {
  PresetKind kind;
  const char* name;
  const char* text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace cpbench
