// Programs of a plan that a person can follow, and what `verify` says about damaged programs.
#include "harness/compile/compile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

Problem two_ranks() { return problem_of({8}, 2, {2, 1, 4, 4}); }

// Rank 0 sends its keys to rank 1.
Plan sample_plan(const Problem& problem) {
  PlanBuilder b(problem);
  b.home(0, {{0, 4}});
  b.home(1, {{4, 8}});
  b.forward().attend(0, 0, b.home_of(0), b.home_of(0));
  b.forward().attend(0, 1, b.home_of(1), b.home_of(1));
  b.forward().send(0, 0, 1, Tensor::kv, b.home_of(0));
  b.forward().attend(1, 1, b.home_of(1), b.home_of(0));
  b.backward_by_return();
  const Plan plan = b.finish();
  EXPECT_EQ(violations(problem, plan), "");
  return plan;
}

Program sample() {
  const Problem problem = two_ranks();
  return compile(problem, sample_plan(problem), Passes::both);
}

std::vector<OpKind> kinds(const RankProgram& rank, size_t step) {
  std::vector<OpKind> kinds;
  const ProgramStep& s = rank.steps[step];
  for (int32_t i = s.first_op; i < s.first_op + s.ops; ++i) kinds.push_back(rank.ops[i].kind);
  return kinds;
}

// What `verify` says, one line each.
std::string reports(const Program& program) {
  std::string text;
  for (const std::string& line : verify(program)) text += line + "\n";
  return text;
}

// So that operations may be moved.
void live_throughout(RankProgram& rank) {
  for (Buffer& buffer : rank.buffers) {
    buffer.first_op = 0;
    buffer.last_op = static_cast<int32_t>(rank.ops.size());
  }
}

// A rule and a rank: "R4 rank 1".
void expect_broken(const Program& program, const std::string& where) {
  EXPECT_NE(("\n" + reports(program)).find("\n" + where), std::string::npos) << reports(program);
}

TEST(Compile, sends_home_keys_as_they_lie_and_receives_them_as_they_come) {
  const Program program = sample();
  EXPECT_EQ(reports(program), "");
  const RankProgram& sender = program.ranks[0];
  EXPECT_EQ(kinds(sender, 0), (std::vector{OpKind::send, OpKind::call}));
  EXPECT_EQ(sender.messages[0].buffer, sender.kv);
  const RankProgram& receiver = program.ranks[1];
  EXPECT_EQ(kinds(receiver, 0), (std::vector{OpKind::call, OpKind::receive}));
  // The first call writes home o; the second one a scratch, which is merged.
  EXPECT_EQ(kinds(receiver, 1), (std::vector{OpKind::call, OpKind::rows}));
  EXPECT_EQ(receiver.calls[0].out, receiver.o);
  EXPECT_EQ(receiver.calls[1].kv, receiver.messages[0].buffer);
  EXPECT_EQ(receiver.row_ops[0].mode, RowMode::accumulate);
}

// Compiling the ranks in any order, and into used memory, gives the same programs.
TEST(Compile, ranks_one_at_a_time_are_those_of_the_whole_program) {
  const Problem problem = two_ranks();
  const Plan plan = sample_plan(problem);
  const Program program = compile(problem, plan, Passes::both);
  const Compiler compiler(problem, plan, Passes::both);
  RankProgram scratch;
  for (int32_t rank : {1, 0, 1}) {
    compiler.rank(rank, scratch);
    EXPECT_EQ(scratch, program.ranks[rank]);
    EXPECT_EQ(compiler.rank(rank), program.ranks[rank]);
  }
}

TEST(Compile, backward_shares_the_segments_of_forward) {
  const Program program = sample();
  for (const RankProgram& rank : program.ranks) {
    const size_t half = rank.calls.size() / 2;
    EXPECT_EQ(rank.segments.size(), half);
    for (size_t i = 0; i < rank.calls.size(); ++i) {
      EXPECT_EQ(rank.calls[i].first_segment, rank.calls[i % half].first_segment);
    }
  }
}

TEST(Compile, bad_more_tokens_than_32_bits) {
  const Problem problem = two_ranks();
  Plan plan = sample_plan(problem);
  plan.tokens = int64_t{1} << 31;
  EXPECT_THROW(compile(problem, plan, Passes::both), UserError);
}

// Rank 0 computes its output in one call, rank 1 merges two.
TEST(Compile, outputs_are_wide_only_where_partial_results_meet) {
  const Program program = sample();
  const auto elements = [&](int32_t rank, int32_t buffer) {
    return program.ranks[rank].buffers[buffer].elements;
  };
  EXPECT_EQ(elements(0, program.ranks[0].o), ElementClass::model);
  EXPECT_EQ(elements(1, program.ranks[1].o), ElementClass::accumulation);
  EXPECT_EQ(elements(1, program.ranks[1].calls[1].out), ElementClass::model);
}

TEST(Compile, an_exchange_shares_no_bytes_with_the_calls_beside_it) {
  const RankProgram receiver = sample().ranks[1];
  const Buffer& received = receiver.buffers[receiver.messages[0].buffer];
  EXPECT_EQ(received.first_op, receiver.steps[0].first_op);  // not after the call of its step
}

TEST(Compile, buffers_share_the_arena_over_time) {
  const Program program = sample();
  for (const RankProgram& rank : program.ranks) {
    int64_t sum = 0;
    for (const Buffer& buffer : rank.buffers) sum += buffer.bytes;
    EXPECT_LT(rank.arena_bytes, sum + kBufferAlignment * static_cast<int64_t>(rank.buffers.size()));
  }
}

// Each rank sees the keys of both. A token's kv is 2 * 4 floats, so a block has 128 bytes.
Plan gathering_plan(const Problem& problem) {
  PlanBuilder b(problem);
  b.home(0, {{0, 4}});
  b.home(1, {{4, 8}});
  const int32_t gather = b.forward().collective(CollectiveKind::all_gather, 4);
  for (int32_t rank : {0, 1}) {
    b.forward().multicast(0, rank, b.all_ranks(), Tensor::kv, b.home_of(rank), {}, gather);
    b.forward().attend(1, rank, b.home_of(rank), b.tokens(Range{0, 8}));
  }
  b.backward_by_return();
  const Plan plan = b.finish();
  EXPECT_EQ(violations(problem, plan), "");
  return plan;
}

Program gathering() {
  const Problem problem = two_ranks();
  return compile(problem, gathering_plan(problem), Passes::both, Collectives::library);
}

TEST(Compile, a_library_gathers_and_sums_blocks_that_lie_together) {
  const Program program = gathering();
  EXPECT_EQ(reports(program), "");
  const RankProgram& rank = program.ranks[1];
  EXPECT_TRUE(rank.messages.empty());
  ASSERT_EQ(rank.collectives.size(), 2u);
  const CollectiveOp& gather = rank.collectives[0];
  EXPECT_EQ(gather.kind, CollectiveKind::all_gather);
  EXPECT_EQ(gather.source, rank.kv);
  EXPECT_EQ(gather.bytes, 128);
  const CollectiveOp& sum = rank.collectives[1];
  EXPECT_EQ(sum.kind, CollectiveKind::reduce_scatter);
  for (const CollectiveOp& op : rank.collectives) {
    const Buffer* blocks = rank.buffers.data() + op.first_block;
    EXPECT_EQ(blocks[1].offset, blocks[0].offset + op.bytes);
  }
  // A rank's own block is cleared before; afterwards it holds the sum of the others, which is added
  // to the home gradient.
  const int32_t own = sum.first_block + 1;
  const auto with = [&](RowMode mode, int32_t source, int32_t target) {
    return std::ranges::any_of(rank.row_ops, [&](const RowOp& op) {
      return op.mode == mode && op.source == source && op.target == target;
    });
  };
  EXPECT_TRUE(with(RowMode::clear, -1, own));
  EXPECT_TRUE(with(RowMode::accumulate, own, rank.dkv));
}

TEST(Compile, messages_take_the_place_of_collectives_unless_a_library_is_there) {
  const Problem problem = two_ranks();
  const Program program = compile(problem, gathering_plan(problem), Passes::both);
  EXPECT_EQ(reports(program), "");
  EXPECT_TRUE(program.ranks[1].collectives.empty());
  EXPECT_EQ(program.ranks[1].messages.size(), 4u);
}

TEST(Verify, bad_R8_a_rank_calls_another_collective) {
  Program program = gathering();
  program.ranks[1].collectives[0].tag += 2;
  expect_broken(program, "R8 rank 1");
}

TEST(Verify, bad_R8_blocks_apart) {
  Program program = gathering();
  RankProgram& rank = program.ranks[0];
  rank.arena_bytes += 1024;
  rank.buffers[rank.collectives[0].first_block + 1].offset += 512;
  expect_broken(program, "R8 rank 0");
}

TEST(Verify, bad_R1_outside_the_arena) {
  Program program = sample();
  program.ranks[1].buffers[0].offset = program.ranks[1].arena_bytes;
  expect_broken(program, "R1 rank 1");
}

TEST(Verify, bad_R2_overlap) {
  Program program = sample();
  RankProgram& rank = program.ranks[0];
  rank.buffers[rank.q].offset = rank.buffers[rank.kv].offset;
  expect_broken(program, "R2 rank 0");
}

TEST(Verify, bad_R3_rows_out_of_bounds) {
  Program program = sample();
  program.ranks[1].runs[0].rows += 1;
  expect_broken(program, "R3 rank 1");
}

TEST(Verify, bad_R4_read_before_written) {
  Program program = sample();
  RankProgram& rank = program.ranks[1];
  const ProgramStep& step = rank.steps[0];
  std::swap(rank.ops[step.first_op + 1], rank.ops[rank.steps[1].first_op]);
  live_throughout(rank);
  expect_broken(program, "R4 rank 1");
}

TEST(Verify, bad_R5_query_row_twice) {
  Program program = sample();
  RankProgram& rank = program.ranks[0];
  Call& call = rank.calls[0];
  const Segment segment = rank.segments[call.first_segment];
  call.first_segment = static_cast<int32_t>(rank.segments.size());
  call.segments = 2;
  rank.segments.insert(rank.segments.end(), 2, segment);
  expect_broken(program, "R5 rank 0");
}

TEST(Verify, bad_R6_message_never_received) {
  Program program = sample();
  program.ranks[0].messages[0].tag += 100;
  expect_broken(program, "R6 rank 0");
}

TEST(Verify, bad_R7_home_row_never_written) {
  Program program = sample();
  Segment& segment = program.ranks[0].segments[0];
  segment.q_rows -= 1;
  segment.kv_rows -= 1;
  expect_broken(program, "R7 rank 0");
}

Program sample_with_sinks() {
  Problem problem = two_ranks();
  problem.shape.attention_sinks = true;
  return compile(problem, sample_plan(problem), Passes::both);
}

// The index of the operation that merges the sinks of rank 1, in its second step.
int32_t sinks_of(const RankProgram& rank) {
  const auto found = std::ranges::find(rank.ops, OpKind::sinks, &Op::kind);
  return static_cast<int32_t>(found - rank.ops.begin());
}

TEST(Compile, sinks_are_merged_once_after_the_last_merge_at_home) {
  const Program program = sample_with_sinks();
  EXPECT_EQ(reports(program), "");
  for (const RankProgram& rank : program.ranks) {
    EXPECT_EQ(std::ranges::count(rank.ops, OpKind::sinks, &Op::kind), 1);
    EXPECT_EQ(rank.buffers[rank.o].elements, ElementClass::accumulation);
  }
  EXPECT_EQ(kinds(program.ranks[1], 1), (std::vector{OpKind::call, OpKind::rows, OpKind::sinks}));
}

TEST(Verify, bad_R9_sinks_before_the_last_merge) {
  Program program = sample_with_sinks();
  RankProgram& rank = program.ranks[1];
  const int32_t sinks = sinks_of(rank);
  std::swap(rank.ops[sinks], rank.ops[sinks - 1]);
  live_throughout(rank);
  expect_broken(program, "R9 rank 1");
}

TEST(Verify, bad_R9_no_sinks) {
  Program program = sample_with_sinks();
  program.ranks[0].ops[sinks_of(program.ranks[0])] = {OpKind::rows, 0};
  expect_broken(program, "R9 rank 0");
}

TEST(Verify, bad_R9_sinks_twice) {
  Program program = sample_with_sinks();
  RankProgram& rank = program.ranks[1];
  rank.ops.insert(rank.ops.begin() + sinks_of(rank), {OpKind::sinks, 0});
  expect_broken(program, "R9 rank 1");
}

}  // namespace
}  // namespace cpbench
