// What harness/presets/CMakeLists.txt has embedded; presets.h is for everyone else.
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
