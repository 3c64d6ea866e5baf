// Ranks that are processes compute what ranks that are threads compute, bit for bit.
#include "harness/execute/processes/execute_processes.h"

#include <gtest/gtest.h>

#include "harness/execute/processes/local_wire_for_tests.h"
#include "harness/execute/program_for_tests.h"

namespace cpbench {
namespace {

Problem problem_of(int32_t ranks) {
  Problem problem;
  problem.batch.document_lengths = {40, 23};
  problem.shape = {.query_heads = 2, .kv_heads = 1, .head_dim = 8, .value_head_dim = 8};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

TEST(Processes, equal_threads_bit_for_bit) {
  for (int32_t ranks : {1, 2, 4}) {
    Problem problem = problem_of(ranks);
    if (ranks == 2) problem.shape.hidden_size = problem.shape.ffn_size = 12;
    const Program program = program_of(problem);
    const ExecuteOptions options{.warmup = 1, .iterations = 3, .portions = true};
    const Timeline threads = execute_threads(problem, program, options);
    Timeline processes;
    const auto thrown =
        run_as_processes(ranks, {.timeout_seconds = 60}, [&](ProcessGroup& group, LocalWire&) {
          Timeline mine;
          group.together([&] { mine = execute_processes(problem, program, options, group); });
          if (group.rank() == 0) processes = mine;
        });
    ASSERT_EQ(thrown, std::vector<std::string>(ranks));
    EXPECT_EQ(processes.output_hash, threads.output_hash);
    EXPECT_EQ(processes.bytes_sent, threads.bytes_sent);
    EXPECT_EQ(processes.messages, threads.messages);
    EXPECT_EQ(processes.peak_bytes, threads.peak_bytes);
    EXPECT_EQ(processes.accuracy.max_error_output, threads.accuracy.max_error_output);
    EXPECT_EQ(processes.accuracy.max_error_gradient, threads.accuracy.max_error_gradient);
    EXPECT_TRUE(processes.accuracy.ok());
    EXPECT_EQ(processes.events.size(), threads.events.size());
    ASSERT_EQ(processes.seconds.size(), threads.seconds.size());
    for (size_t i = 0; i < processes.seconds.size(); ++i) {
      EXPECT_GT(processes.attention_seconds[i], 0);
      EXPECT_GE(processes.overhead_seconds[i], 0);
      EXPECT_GT(processes.seconds[i], processes.attention_seconds[i]);
    }
    const PortionTimes& portions = processes.portions;
    for (auto times : PortionTimes::members()) {
      ASSERT_EQ((portions.*times).size(), (threads.portions.*times).size());
    }
    for (size_t i = 0; i < portions.work_seconds.size(); ++i) {
      EXPECT_GT(portions.attention_seconds[i], 0);
      EXPECT_GT(portions.work_seconds[i], portions.attention_seconds[i]);
      EXPECT_GT(portions.exchange_seconds[i], 0);
    }
  }
}

TEST(Processes, a_rank_that_throws_is_named_with_its_step) {
  const Problem problem = problem_of(2);
  const Program program = program_of(problem);
  const auto thrown = run_together(2, 60, [&](ProcessGroup& group) {
    execute_processes(problem, program, {}, BreakingKernel(), group);
  });
  EXPECT_EQ(thrown[0], "rank 1, backward step 1: kernel broke");
}

TEST(Processes, a_message_that_never_comes_is_named_with_its_step) {
  const Problem problem = problem_of(3);
  Program program = program_of(problem);
  for (Message& message : program.ranks[0].messages) {
    if (message.peer == 2) message.tag = 1000;  // rank 2 waits for another tag
  }
  const auto thrown =
      run_as_processes(3, {.timeout_seconds = 0.3}, [&](ProcessGroup& group, LocalWire& wire) {
        std::string reason;
        try {
          group.together([&] { execute_processes(problem, program, {}, group); });
        } catch (const ExecutionFailure& failure) {
          reason = failure.what();
        }
        EXPECT_EQ(reason, group.rank() > 0 ? ""
                                           : "rank 2, forward step 0: no progress for 0.3 s, "
                                             "waiting for a message from rank 0");
        EXPECT_EQ(wire.pending_messages(), 0u);
      });
  EXPECT_EQ(thrown, std::vector<std::string>(3));
}

}  // namespace
}  // namespace cpbench
