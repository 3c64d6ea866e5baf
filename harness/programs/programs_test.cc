#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <new>
#include <thread>

#include "harness/plan/errors.h"
#include "harness/programs/find_program.h"
#include "harness/programs/in_child.h"
#include "harness/programs/printable.h"
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

TEST(Programs, that_leave_a_child_with_their_output_do_not_wait_for_it) {
  const ProgramRun run =
      run_program("sh", "sleep 60 & echo done", {.name = "sh", .deadline = Deadline(20)});
  EXPECT_EQ(run.output, "done\n");
}

TEST(Programs, that_write_too_much_are_ended) {
  try {
    run_program("yes", "", {.name = "yes", .most_output_bytes = size_t{1} << 20});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "yes wrote more than 1 MiB");
  }
}

TEST(Programs, have_words_without_control_characters) {
  EXPECT_EQ(run_program("sh", "printf 'a\\033[31mred\\007\\n' >&2", {}).last_words,
            "a\\x1b[31mred\\x07");
  EXPECT_EQ(printable("caf\u00e9 \u20ac \U0001d11e"), "caf\u00e9 \u20ac \U0001d11e");
  EXPECT_EQ(printable("\x7f\xc2\x9b\xff\xe2\x82"), "\\x7f\\xc2\\x9b\\xff\\xe2\\x82");
}

// The message of what `work` throws in a child process.
std::string message_of(const std::function<std::string()>& work, double seconds = 60) {
  try {
    return in_child({.name = "the work", .deadline = Deadline(seconds)}, work).bytes;
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(InChild, returns_what_the_function_returns) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(message_of([&] { return large; }), large);
  EXPECT_EQ(message_of([] { return ""; }), "");
}

TEST(InChild, throws_what_the_function_throws) {
  const auto run = [](auto error) { in_child({}, [&]() -> std::string { throw error; }); };
  EXPECT_THROW(run(UserError("a")), UserError);
  EXPECT_THROW(run(Unsupported("a")), Unsupported);
  EXPECT_THROW(run(std::bad_alloc()), std::bad_alloc);
  EXPECT_THROW(run(std::logic_error("a")), std::runtime_error);
  EXPECT_EQ(message_of([]() -> std::string { throw Unsupported("too large"); }), "too large");
}

TEST(InChild, names_how_the_function_ended) {
  EXPECT_EQ(message_of([]() -> std::string { std::abort(); }),
            "the work was ended by signal 6 (Aborted)");
  EXPECT_EQ(message_of([]() -> std::string {
              std::puts("on stdout");
              std::fflush(stdout);
              std::exit(3);
            }),
            "the work ended with exit status 3: on stdout");
  EXPECT_EQ(message_of([]() -> std::string { _exit(0); }), "the work ended with exit status 0");
  EXPECT_EQ(message_of(
                []() -> std::string {
                  for (;;) pause();
                },
                0.2),
            "the work did not end within 0.2 s");
}

TEST(InChild, works_on_several_threads_at_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < 20; ++n) {
        EXPECT_EQ(message_of([&] { return std::to_string(i); }), std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cpbench
