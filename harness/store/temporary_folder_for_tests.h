// For tests: a folder that is deleted when the test ends, and short ways to make files in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "harness/plan/input_file.h"
#include "harness/store/atomic_file.h"
#include "harness/store/hdf5_file.h"

namespace cpbench {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cpbench.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::string& path) { return read_input("file", path, kAnySize); }

// Without a checksum, as another program writes it.
inline void write_atomically_for_tests(const std::string& path,
                                       const std::function<void(Hdf5Writer&)>& fill) {
  Hdf5Writer file(path);
  fill(file);
  write_atomically(path, file.image());
}

}  // namespace cpbench
