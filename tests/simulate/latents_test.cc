// K and V that travel as latents: the bytes of plan and program, and the time of the projections.
#include <gtest/gtest.h>

#include <numeric>

#include "harness/machines/kernel_models.h"
#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "tests/simulate/machines.h"

namespace cpbench {
namespace {

constexpr int64_t kLatent = 64, kRope = 16;

Problem latent_problem(const ClusterModel& machine, std::vector<int64_t> lengths) {
  Problem problem = small_problem(machine, std::move(lengths));
  problem.shape.latent_size = kLatent;
  problem.shape.latent_rope_size = kRope;
  return problem;
}

class LatentsOf : public ::testing::TestWithParam<const Strategy*> {};

TEST_P(LatentsOf, programs_are_right_and_move_what_is_planned) {
  if (!GetParam()->moves_keys) GTEST_SKIP() << "K and V do not travel";
  const ClusterModel machine = small_machine(2, 4);
  const Problem problem = latent_problem(machine, {1500, 175, 64, 1, 775, 625, 225, 731});
  Plan plan;
  try {
    plan = plan_of(GetParam()->name, problem);
  } catch (const Unsupported& reason) {
    GTEST_SKIP() << reason.what();
  }
  ASSERT_EQ(violations(problem, plan), "");
  const Program program = compile(problem, plan, Passes::both);
  EXPECT_EQ(verify(program), std::vector<std::string>());
  const SimulatedCluster on{machine, find_kernel("cudnn_h200"), {}};
  const Timeline timeline = simulate(problem, plan, program, on);
  const int64_t sent =
      std::accumulate(timeline.bytes_sent.begin(), timeline.bytes_sent.end(), int64_t{0});
  EXPECT_EQ(sent, planned_bytes(plan, problem.shape));

  Simulator outlines(problem, plan, Passes::both, on);
  const Compiler compiler(problem, plan, Passes::both, outlines.detail());
  for (int32_t rank = 0; rank < plan.ranks; ++rank) outlines.add(compiler.rank(rank));
  EXPECT_EQ(outlines.run().seconds, timeline.seconds);
}

INSTANTIATE_TEST_SUITE_P(Latents, LatentsOf, ::testing::ValuesIn(strategies()),
                         [](const ::testing::TestParamInfo<const Strategy*>& info) {
                           return info.param->name;
                         });

// Around a ring of 4, each rank's K and V visit 3 others. Backward they do so again, and gradients
// follow in fp32 and go home.
TEST(Latents, a_ring_moves_latents_and_their_gradients) {
  const Problem problem = latent_problem(small_machine(1, 4), {4096});
  const Plan plan = plan_of("ring", problem);
  const int64_t latents = 4096 * (kLatent + kRope);
  EXPECT_EQ(planned_bytes(plan.forward, plan, problem.shape), 3 * latents * 2);
  EXPECT_EQ(planned_bytes(plan.backward, plan, problem.shape), 3 * latents * (2 + 4));
}

// Rank 0 sends the keys of 512 tokens to rank 1, which projects them, and backward projects their
// gradients and those of the weights.
TEST(Latents, projections_take_the_time_of_their_matrix_products) {
  ClusterModel machine = small_machine(1, 2);
  make_work_free(machine);
  make_network_free(machine);
  const Problem problem = latent_problem(machine, {1024});
  PlanBuilder b(problem);
  b.home(0, {{0, 512}});
  b.home(1, {{512, 1024}});
  for (int32_t r : {0, 1}) b.forward().attend(0, r, b.home_of(r), b.home_of(r));
  b.forward().send(0, 0, 1, Tensor::kv, b.home_of(0));
  b.forward().attend(1, 1, b.home_of(1), b.home_of(0));
  b.backward_by_return();
  const Plan plan = b.finish();
  const Timeline timeline = simulate_plan(problem, plan, machine, free_kernel());
  const double flops = 512.0 * 2 * kLatent * 8 * (128 - kRope + 128);
  EXPECT_DOUBLE_EQ(timeline.seconds[1], (1 + 2) * flops / (1e15 * 0.5));
}

// At home, latents and the fp32 gradients of latents.
TEST(Latents, count_in_memory) {
  const ClusterModel machine = small_machine(1, 2);
  const Problem latent = latent_problem(machine, {1024});
  Problem heads = latent;
  heads.shape.latent_size = heads.shape.latent_rope_size = 0;
  const Plan plan = plan_of("ring", latent);
  const auto peak = [&](const Problem& problem) {
    return check(problem, plan, Passes::both, Deadline()).peak_bytes.front();
  };
  EXPECT_EQ(peak(latent) - peak(heads), 512 * (kLatent + kRope) * (2 + 4));
}

}  // namespace
}  // namespace cpbench
