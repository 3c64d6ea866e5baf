#include "harness/run/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "harness/run/exit_codes.h"

namespace cpbench {
namespace {

// Two threads write for a millisecond at a time, without a pause in between. Exits with 1 if the
// signal, which comes at the tenth time, has not ended the process at the 500th.
void write_without_pause() {
  Interrupt interrupt([] { return "resume"; });
  const auto write = [&] {
    for (int time = 0;; ++time) {
      const auto guard = interrupt.hold();
      if (time == 10) std::raise(SIGTERM);
      if (time == 500) _exit(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  std::thread other(write);
  write();
}

TEST(InterruptDeathTest, EndsWhileThreadsWriteFileAfterFile) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(write_without_pause(), testing::ExitedWithCode(kExitInterrupted),
              "interrupted: resume");
}

}  // namespace
}  // namespace cpbench
