#include <gtest/gtest.h>

#include <filesystem>

#include "harness/programs/find_program.h"
#include "harness/programs/run_program.h"

namespace cpbench {
namespace {

TEST(Programs, are_found_next_to_the_running_program_and_on_the_path) {
  EXPECT_EQ(find_program("cpbench_programs_test"), own_folder() / "cpbench_programs_test");
  EXPECT_TRUE(std::filesystem::exists(find_program("sh")));
  EXPECT_EQ(find_program("no-such-program-of-cpbench"), "");
}

TEST(Programs, give_their_output_and_exit_status) {
  const std::string zeros(1 << 20, '\0');  // more than a pipe holds, in both directions
  EXPECT_EQ(run_program("cat", zeros, {.name = "cat"}).output, zeros);
  const ProgramRun failed = run_program("sh", "echo first >&2; echo last >&2; exit 3", {});
  EXPECT_EQ(failed.exit_status, 3);
  EXPECT_EQ(failed.last_words, "last");
  EXPECT_EQ(run_program("true", zeros, {}).exit_status, 0);  // does not read its input
}

}  // namespace
}  // namespace cpbench
