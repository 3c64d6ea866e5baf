#include "harness/execute/module.h"

#include <gtest/gtest.h>

#include "harness/execute/torch.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

TEST(Module, says_what_was_missing_when_it_was_built) {
  EXPECT_EQ(error_of([] {
              module_function({.file = "cpbench_none.so",
                               .function = "open",
                               .feature = "kernel 'none'",
                               .requirements = "what it needs"});
            }),
            "this cpbench was built without kernel 'none': install what it needs and rebuild");
}

TEST(Module, of_another_version_is_refused) {
  const std::string error = error_of([] { module_function(torch_module("cpbench_of_old")); });
  EXPECT_TRUE(error.ends_with("cpbench_torch.so was built for another version of cpbench: rebuild"))
      << error;
}

}  // namespace
}  // namespace cpbench
