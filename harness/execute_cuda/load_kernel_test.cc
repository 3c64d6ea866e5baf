#include "harness/execute_cuda/load_kernel.h"

#include <gtest/gtest.h>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

std::string refusal(const std::string& name, const std::filesystem::path& folder) {
  try {
    load_kernel(name, folder);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(LoadKernel, says_what_was_missing_when_it_was_built) {
  EXPECT_EQ(refusal("flash", "/nowhere"),
            "this cpbench was built without kernel 'flash': it needs LibTorch with CUDA and the "
            "libraries that come with it");
  EXPECT_EQ(refusal("cudnn", "/nowhere"),
            "this cpbench was built without kernel 'cudnn': it needs cuDNN 9 and, to build, the "
            "headers of nvidia-cudnn-frontend");
}

// Above this program, in the build's folder; empty if it was not built.
std::filesystem::path folder_of(const std::string& name) {
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (!std::filesystem::exists(folder / ("cpbench_" + name + ".so"))) {
    if (folder == folder.parent_path()) return {};
    folder = folder.parent_path();
  }
  return folder;
}

// The modules of this build. Where a library of theirs is not installed, that is what is said.
TEST(LoadKernel, opens_or_says_which_library_is_missing) {
  for (const std::string name : {"flash", "cudnn"}) {
    const std::filesystem::path folder = folder_of(name);
    if (folder.empty()) continue;
    const std::string message = refusal(name, folder);
    if (message.empty()) continue;
    EXPECT_EQ(message.rfind("kernel '" + name + "' cannot be loaded: it needs ", 0), 0u) << message;
    EXPECT_NE(message.find("cannot open shared object file"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace cpbench
