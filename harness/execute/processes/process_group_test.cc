// What process groups promise: agreement, failures that reach all ranks, waits that end.
#include "harness/execute/processes/process_group.h"

#include <gtest/gtest.h>

#include <array>
#include <new>

#include "harness/execute/processes/local_wire_for_tests.h"

namespace cpbench {
namespace {

using Strings = std::vector<std::string>;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string received(ProcessGroup& group, int32_t from, int32_t tag, size_t size) {
  std::string text(size, ' ');
  group.receive(from, group.rank(), tag, std::as_writable_bytes(std::span(text)));
  return text;
}

// After a failure the group must be able to do this work.
void expect_to_work(ProcessGroup& group) {
  group.together([&] {
    group.agree("value", "same");
    group.barrier();
    const int32_t next = (group.rank() + 1) % group.size();
    const int32_t previous = (group.rank() + group.size() - 1) % group.size();
    group.send(group.rank(), next, 0, bytes_of("from " + std::to_string(group.rank())));
    EXPECT_EQ(received(group, previous, 0, 6), "from " + std::to_string(previous));
  });
}

TEST(ProcessGroup, messages_of_one_tag_arrive_in_order_and_in_pieces) {
  for (size_t piece : {1, 3, 100}) {
    const Strings thrown = run_as_processes(
        2, {.timeout_seconds = 60, .message_bytes = piece}, [](ProcessGroup& group, LocalWire&) {
          group.together([&] {
            if (group.rank() == 0) {
              group.send(0, 1, 7, bytes_of("second tag"));
              group.send(0, 1, 5, bytes_of("one"));
              group.send(0, 1, 5, bytes_of("two"));
              group.send(0, 1, 6, {});
            } else {
              EXPECT_EQ(received(group, 0, 5, 3), "one");
              EXPECT_EQ(received(group, 0, 5, 3), "two");
              EXPECT_EQ(received(group, 0, 7, 10), "second tag");
              EXPECT_EQ(received(group, 0, 6, 0), "");
            }
          });
        });
    EXPECT_EQ(thrown, (Strings{"", ""})) << piece;
  }
}

TEST(ProcessGroup, a_barrier_waits_for_all) {
  for (int32_t ranks : {1, 2, 3, 5, 8}) {
    std::atomic<int32_t> arrived = 0;
    const Strings thrown = run_together(ranks, 60, [&](ProcessGroup& group) {
      for (int32_t i = 1; i <= 20; ++i) {
        ++arrived;
        group.barrier();
        EXPECT_GE(arrived, i * ranks);
        group.barrier();  // otherwise a fast rank would count for the next round
      }
    });
    EXPECT_EQ(thrown, Strings(ranks));
  }
}

TEST(ProcessGroup, a_difference_is_named_on_every_rank) {
  const Strings thrown = run_together(
      4, 60, [](ProcessGroup& group) { group.agree("plan", group.rank() % 2 == 1 ? "aa" : "bb"); });
  for (const std::string& text : thrown) {
    EXPECT_EQ(text, "the ranks disagree on the plan: rank 0 has bb, rank 1 has aa, rank 3 has aa");
  }
}

TEST(ProcessGroup, a_rank_that_throws_ends_the_work_everywhere_and_not_the_next) {
  for (int32_t failing : {0, 1, 2}) {
    const Strings thrown =
        run_as_processes(3, {.timeout_seconds = 60}, [&](ProcessGroup& group, LocalWire& wire) {
          std::string reason;
          try {
            group.together([&] {
              // Messages that no rank receives, with a tag that the next work uses.
              const int32_t next = (group.rank() + 1) % 3;
              for (int i = 0; i < 5; ++i) group.send(group.rank(), next, 0, bytes_of("stale!"));
              if (group.rank() == failing) throw std::runtime_error("kernel broke");
              received(group, failing, 99, 1);
            });
          } catch (const std::runtime_error& error) {
            reason = error.what();
          }
          const std::string expected =
              failing == 0 ? "kernel broke" : "rank " + std::to_string(failing) + ": kernel broke";
          EXPECT_EQ(reason, group.rank() == 0 ? expected : "");
          expect_to_work(group);
          EXPECT_EQ(wire.pending_messages(), 0u);
        });
    EXPECT_EQ(thrown, Strings(3));
  }
}

// As when the ranks of one process wait for a rank of another, which threw.
TEST(ProcessGroup, who_made_no_progress_is_not_the_cause) {
  const Strings thrown = run_together(2, 60, [](ProcessGroup& group) {
    if (group.rank() == 0) throw NoProgress("rank 0, forward step 1: no progress for 60 s");
    throw std::runtime_error("kernel broke");
  });
  EXPECT_EQ(thrown[0], "rank 1: kernel broke");
}

TEST(ProcessGroup, out_of_memory_of_another_rank_is_out_of_memory) {
  run_as_processes(2, {.timeout_seconds = 60}, [](ProcessGroup& group, LocalWire&) {
    const auto work = [&] {
      group.together([&] {
        if (group.rank() == 1) throw std::bad_alloc();
        group.barrier();
      });
    };
    if (group.rank() == 0) {
      EXPECT_THROW(work(), std::bad_alloc);
    } else {
      EXPECT_NO_THROW(work());
    }
    expect_to_work(group);
  });
}

TEST(ProcessGroup, a_failure_after_the_others_are_done_is_reported_too) {
  const Strings thrown = run_together(3, 60, [](ProcessGroup& group) {
    group.barrier();
    if (group.rank() == 2) throw std::runtime_error("late");
  });
  EXPECT_EQ(thrown, (Strings{"rank 2: late", "", ""}));
}

TEST(ProcessGroup, late_messages_of_rank_0_are_thrown_away) {
  run_as_processes(2, {.timeout_seconds = 60}, [](ProcessGroup& group, LocalWire& wire) {
    try {
      group.together([&] {
        group.barrier();
        if (group.rank() == 0) group.send(0, 1, 0, bytes_of("stale!"));
        group.barrier();
        if (group.rank() == 0) throw std::runtime_error("late");
      });
      EXPECT_EQ(group.rank(), 1);
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "late");
    }
    expect_to_work(group);
    EXPECT_EQ(wire.pending_messages(), 0u);
  });
}

TEST(ProcessGroup, a_missing_message_names_the_rank_with_the_least_progress) {
  const Strings thrown =
      run_as_processes(3, {.timeout_seconds = 0.3}, [](ProcessGroup& group, LocalWire&) {
        // A ring in which rank 1 sends nothing to rank 2, so rank 0 gets no message either.
        group.together([&] {
          group.operation_started(group.rank(), 0, 0, -1);
          if (group.rank() == 0) group.send(0, 1, 0, bytes_of("x"));
          group.operation_started(group.rank(), 0, 1, (group.rank() + 2) % 3);
          if (group.rank() != 2)
            group.operation_started(group.rank(), 0, 1, (group.rank() + 2) % 3);
          received(group, (group.rank() + 2) % 3, 0, 1);
          group.barrier();
        });
      });
  EXPECT_EQ(thrown, (Strings{"rank 2, forward step 1: no progress for 0.3 s, waiting for a message "
                             "from rank 1",
                             "", ""}));
}

TEST(ProcessGroup, a_missing_rank_is_named) {
  const Strings thrown =
      run_as_processes(3, {.timeout_seconds = 0.2}, [](ProcessGroup& group, LocalWire&) {
        if (group.rank() == 2) return;
        group.together([&] {
          group.operation_started(group.rank(), 1, 4, -1);
          group.barrier();
        });
      });
  EXPECT_EQ(thrown[0],
            "rank 2 does not answer; rank 0, backward step 4: no progress for 0.2 s, waiting for a "
            "message from rank 2");
  EXPECT_TRUE(thrown[1].starts_with("rank 0 does not answer; rank 1, backward step 4"))
      << thrown[1];
}

TEST(ProcessGroup, a_missing_rank_0_is_named) {
  const Strings thrown =
      run_as_processes(2, {.timeout_seconds = 0.1}, [](ProcessGroup& group, LocalWire&) {
        if (group.rank() == 0) return;
        group.together([&] { group.agree("plan", "x"); });
      });
  EXPECT_EQ(thrown[1],
            "rank 0 does not answer; rank 1: no progress for 0.1 s, waiting for a message "
            "from rank 0");
}

TEST(ProcessGroup, a_rank_that_works_long_is_waited_for) {
  const Strings thrown = run_together(2, 0.4, [](ProcessGroup& group) {
    if (group.rank() == 1) {
      for (int32_t step = 0; step < 12; ++step) {  // 12 operations of 0.1 s
        group.operation_started(1, 0, step, -1);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    group.barrier();
  });
  EXPECT_EQ(thrown, (Strings{"", ""}));
}

TEST(ProcessGroup, a_message_of_another_size_is_refused) {
  const Strings thrown = run_together(2, 60, [](ProcessGroup& group) {
    if (group.rank() == 1) group.send(1, 0, 0, bytes_of("long"));
    if (group.rank() == 0) received(group, 1, 0, 3);
  });
  EXPECT_EQ(thrown[0], "a message from rank 1 has 4 bytes, not 3");
}

TEST(ProcessGroup, gather_returns_all_texts_on_every_rank) {
  for (int32_t ranks : {1, 2, 5}) {
    const Strings thrown = run_together(ranks, 60, [&](ProcessGroup& group) {
      const Strings all = group.gather(std::string(group.rank(), 'x') + " 7");
      for (int32_t rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(all.at(rank), std::string(rank, 'x') + " 7");
      }
      EXPECT_EQ(group.gather(""), Strings(ranks));
    });
    EXPECT_EQ(thrown, Strings(ranks));
  }
}

TEST(ProcessGroup, all_ranks_know_the_slowest_one) {
  const Strings thrown = run_together(3, 60, [&](ProcessGroup& group) {
    EXPECT_EQ(group.slowest(group.rank() == 1 ? 2.5 : 0.5), 2.5);
    EXPECT_EQ(group.slowest(group.rank() == 1 ? std::nullopt : std::optional(0.5)), std::nullopt);
  });
  EXPECT_EQ(thrown, Strings(3));
}

TEST(ProcessGroup, communicators_take_no_time_if_none_is_created) {
  const Strings thrown = run_together(3, 60, [&](ProcessGroup& group) {
    EXPECT_EQ(group.communicator_seconds({}), 0);
    EXPECT_EQ(group.communicator_seconds({{0, 2}}), std::nullopt);  // threads have none
  });
  EXPECT_EQ(thrown, Strings(3));
}

TEST(ProcessGroup, check_peers_ends_work_when_another_rank_fails) {
  const Strings thrown =
      run_as_processes(2, {.timeout_seconds = 60}, [](ProcessGroup& group, LocalWire&) {
        group.together([&] { group.check_peers(); });
        group.together([&] {
          if (group.rank() == 1) throw std::runtime_error("a GPU broke");
          for (;;) group.check_peers();
        });
      });
  EXPECT_EQ(thrown[0], "rank 1: a GPU broke");
}

TEST(ProcessGroup, processes_that_run_several_ranks_are_called_processes) {
  const GroupOptions options = {
      .timeout_seconds = 0.2, .rank_name = "process", .ranks_name = "processes"};
  EXPECT_EQ(run_as_processes(2, options,
                             [](ProcessGroup& group, LocalWire&) {
                               group.together([&] { group.agree("plan", group.position()); });
                             })[1],
            "the processes disagree on the plan: process 0 has process 0, process 1 has process 1");
  EXPECT_EQ(run_as_processes(2, options,
                             [](ProcessGroup& group, LocalWire&) {
                               if (group.rank() == 0) group.together([&] { group.barrier(); });
                             })[0],
            "process 1 does not answer; process 0: no progress for 0.2 s, waiting for a message "
            "from process 1");
}

TEST(ProcessGroup, commands_reach_all_ranks) {
  run_as_processes(3, {.timeout_seconds = 60}, [](ProcessGroup& group, LocalWire&) {
    for (const std::string command : {"a", "longer command", ""}) {
      if (group.rank() == 0) {
        group.send_command(command);
      } else {
        EXPECT_EQ(group.receive_command(), command);
      }
      expect_to_work(group);
    }
  });
}

}  // namespace
}  // namespace cpbench
