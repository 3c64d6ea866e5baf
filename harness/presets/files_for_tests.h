// For tests: a file that is deleted when the test ends.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {

class TestFile {
 public:
  TestFile(const std::string& name, const std::string& bytes)
      : folder_(std::filesystem::temp_directory_path() /
                ("cpbench_" +
                 std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
                 "_" + std::to_string(reinterpret_cast<uintptr_t>(this)))),
        path_(folder_ / name) {
    std::filesystem::create_directories(folder_);
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TestFile() { std::filesystem::remove_all(folder_); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path folder_, path_;
};

}  // namespace cpbench
