// Where FlashAttention-3 is. Its Python package flash_attn_3 is a library that registers operators
// with LibTorch, so it needs no Python.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace cpbench {

struct Flash3Package {
  std::filesystem::path library;
  std::string version;  // "3.0.0"; "unknown" if it was not installed as a package
};

// Names the library, which then need not be that of a package.
inline constexpr const char* kFlash3Variable = "CPBENCH_FLASH_ATTN_3";

// `packages` is the folder with LibTorch's and other Python packages.
std::optional<Flash3Package> find_flash3(const std::filesystem::path& packages);

}  // namespace cpbench
