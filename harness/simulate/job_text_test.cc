#include "harness/simulate/job_text.h"

#include <gtest/gtest.h>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Every field another value than its default.
SimulationJob job() {
  SimulationJob job;
  job.machine.cluster.nodes = 2;
  job.machine.cluster.gpus_per_node = 1;
  job.machine.sms = 132;
  job.machine.intra_node = {0.1, 1e11 / 3};
  job.machine.inter_node = {5e-324, 46e9};
  job.machine.node_uplink_bytes_per_second = 7;
  job.machine.inter_node_all_to_all_efficiency = 0.5;
  job.machine.all_gather = {{2, 1e-5, 3e11}, {8, 5e-5, 4e11}};
  job.machine.reduce_scatter = {{4, 2e-5, 1e11}};
  job.profile.reserved_sms = 20;
  job.profile.substage_barrier = true;
  Schedule& s = job.schedule;
  s.lookahead[0] = 3;
  s.lookahead[1] = 0;
  s.exchanges = {{0, 1, 2}, {1, 0, 5}};
  s.collectives = {{CollectiveKind::reduce_scatter, {0, 1}, int64_t{1} << 40}};
  s.transfers = {{0, 1, 12, 0, -1, 1, 1, -1}, {1, 0, 34, 1, 0, 2, 0, 0}};
  s.ranks.resize(2);
  s.ranks[0].tasks = {{1.0 / 3, -1, 0, 0, Activity::merge}, {0, 1, 4, 1, Activity::wait}};
  s.ranks[0].packs = {{0.25, 1, 1, 4, 1}};
  s.ranks[0].steps = {{0, 0, 0}, {1, 4, 2}};
  return job;
}

std::string text_of(const SimulationJob& job) {
  return job_text(job.schedule, job.machine, job.profile);
}

TEST(JobText, comes_back_as_it_was) {
  const std::string text = text_of(job());
  EXPECT_EQ(text_of(parse_job(text)), text);
  const SimulationJob read = parse_job(text);
  EXPECT_EQ(read.machine.intra_node.bytes_per_second, 1e11 / 3);
  EXPECT_EQ(read.machine.inter_node.latency_seconds, 5e-324);
  EXPECT_EQ(read.schedule.ranks[0].tasks[0].seconds, 1.0 / 3);
  EXPECT_EQ(read.schedule.ranks[0].packs[0].after_task, 1);
  EXPECT_EQ(read.schedule.collectives[0].members, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(read.schedule.collectives[0].block_bytes, int64_t{1} << 40);
  EXPECT_EQ(read.schedule.transfers[1].after_transfer, 0);
  EXPECT_EQ(read.schedule.lookahead[0], 3);
  EXPECT_EQ(read.machine.all_gather[1].ranks, 8);
  EXPECT_TRUE(read.profile.substage_barrier);
}

TEST(JobText, an_execution_comes_back_as_it_was) {
  Execution execution;
  execution.end_seconds = {0.1, 2.5};
  execution.events = {{1, 1, 7, Activity::transfer, 1.0 / 3, 0.5}};
  const std::string text = execution_text(execution);
  const Execution read = parse_execution(text, 2);
  EXPECT_EQ(execution_text(read), text);
  EXPECT_EQ(read.events[0].start_seconds, 1.0 / 3);
  EXPECT_THROW(parse_execution(text, 3), UserError);  // of another number of ranks
}

// The text with its first `from` replaced.
std::string refusal(const std::string& from, const std::string& to) {
  std::string text = text_of(job());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  try {
    parse_job(text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(JobText, bad_text_is_refused_with_line_and_what_would_be_right) {
  EXPECT_EQ(refusal("links", "lynx"), "schedule line 3: 'links' expected, 'lynx' found");
  EXPECT_EQ(refusal("cluster 2 1 132", "cluster 2 0 132"),
            "schedule line 2: an integer from 1 to 524288 expected, '0' found");
  EXPECT_EQ(refusal("uplink 7", "uplink -7"),
            "schedule line 4: a number of at least 0 expected, '-7' found");
  EXPECT_EQ(refusal("uplink 7", "uplink 7x"),
            "schedule line 4: a number of at least 0 expected, '7x' found");
  EXPECT_EQ(refusal("profile 20", "profile 132"),  // no SM left
            "schedule line 10: an integer from 0 to 131 expected, '132' found");
  EXPECT_EQ(refusal("0 1 12 0 -1 1 1 -1", "0 2 12 0 -1 1 1 -1"),  // no such rank
            "schedule line 20: an integer from 0 to 1 expected, '2' found");
  EXPECT_EQ(refusal("transfers 2", "transfers 9999999999999"),
            "schedule line 19: an integer from 0 to " + std::to_string(text_of(job()).size() + 12) +
                " expected, '9999999999999' found");
  EXPECT_NE(refusal("end\n", "").find("'end' expected, the end found"), std::string::npos);
}

}  // namespace
}  // namespace cpbench
