// Opens the files that users name. Every reader uses these functions: one that opened a file by
// itself could wait for ever on a pipe, or read a device until memory ends.
//
//   const std::string text = read_input("plan file", path, kMostPlanBytes);
//   std::ifstream file = open_input("file of lengths", path);
//
// All of them throw UserError "cannot read the KIND 'PATH': REASON". Only a regular file that
// exists, may be read and has at most `most_bytes` is opened.
#pragma once

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace cpbench {

inline constexpr int64_t kAnySize = std::numeric_limits<int64_t>::max();

// For libraries that open files by themselves.
void require_input(const std::string& kind, const std::string& path, int64_t most_bytes = kAnySize);

// For readers that keep only a part of the file in memory.
std::ifstream open_input(const std::string& kind, const std::string& path,
                         int64_t most_bytes = kAnySize);

// The whole file. Whatever its size was said to be, at most `most_bytes` are read.
std::string read_input(const std::string& kind, const std::string& path, int64_t most_bytes);

}  // namespace cpbench
