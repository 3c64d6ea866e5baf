#include "harness/execute_cuda/attention/find_flash3.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "harness/execute/torch.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

class FindFlash3 : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv(kFlash3Variable);
    fs::create_directories(packages_ / "flash_attn_3");
  }
  void TearDown() override {
    unsetenv(kFlash3Variable);
    fs::remove_all(packages_);
  }
  fs::path write(const std::string& name) {
    std::ofstream(packages_ / name) << "a library";
    return packages_ / name;
  }
  const fs::path packages_ =
      fs::path(testing::TempDir()) / ("find_flash3_" + std::to_string(getpid()));
};

TEST_F(FindFlash3, the_library_of_the_package_and_its_version) {
  EXPECT_FALSE(find_flash3(packages_));
  EXPECT_FALSE(find_flash3(packages_ / "nowhere"));
  write("flash_attn_3/flash_attn_interface.py");
  EXPECT_FALSE(find_flash3(packages_));
  const fs::path library = write("flash_attn_3/_C.abi3.so");
  EXPECT_EQ(find_flash3(packages_)->library, library);
  EXPECT_EQ(find_flash3(packages_)->version, "unknown");
  fs::create_directories(packages_ / "flash_attn_3-3.0.0b1.dist-info");
  EXPECT_EQ(find_flash3(packages_)->version, "3.0.0b1");
}

TEST_F(FindFlash3, a_library_that_the_environment_names_comes_first) {
  write("flash_attn_3/_C.abi3.so");
  setenv(kFlash3Variable, (packages_ / "built.so").c_str(), 1);
  EXPECT_FALSE(find_flash3(packages_));
  const fs::path built = write("built.so");
  EXPECT_EQ(find_flash3(packages_)->library, built);
}

TEST_F(FindFlash3, packages_are_next_to_libtorch) {
  const fs::path packages = open_torch().packages();
  EXPECT_TRUE(fs::is_regular_file(packages / "torch/lib/libc10.so")) << packages;
}

}  // namespace
}  // namespace cpbench
