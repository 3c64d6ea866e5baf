// How ranks are placed on processes and GPUs, and the errors if they do not fit.
#include "harness/execute/processes/place_ranks.h"

#include <gtest/gtest.h>

#include "harness/execute/processes/local_wire_for_tests.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

using Devices = std::vector<int32_t>;

// A process that sees GPUs [first, last) of its node.
GpusOfProcess sees(const std::string& node, int32_t first, int32_t last) {
  GpusOfProcess process{node, {}};
  for (int32_t gpu = first; gpu < last; ++gpu) {
    process.gpus.push_back("GPU-" + node + "-" + std::to_string(gpu));
  }
  return process;
}

void expect(const RanksOfProcess& process, int32_t first, int32_t last, const Devices& devices) {
  EXPECT_EQ(process.first_rank, first);
  EXPECT_EQ(process.first_rank + std::ssize(process.devices), last);
  EXPECT_EQ(process.devices, devices);
}

std::string error_of(int32_t ranks, int32_t nodes, const std::vector<GpusOfProcess>& processes) {
  try {
    place_ranks(ranks, nodes, processes);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(PlaceRanks, one_process_drives_all) {
  expect(place_ranks(8, 1, {sees("a", 0, 8)})[0], 0, 8, {0, 1, 2, 3, 4, 5, 6, 7});
  expect(place_ranks(2, 1, {sees("a", 0, 8)})[0], 0, 2, {0, 1});
  expect(place_ranks(4, 2, {sees("a", 0, 8)})[0], 0, 4, {0, 1, 2, 3});  // nodes only of the plan
}

TEST(PlaceRanks, processes_that_see_the_same_gpus_share_them) {
  const auto two = place_ranks(8, 1, {sees("a", 0, 8), sees("a", 0, 8)});
  expect(two[0], 0, 4, {0, 1, 2, 3});
  expect(two[1], 4, 8, {4, 5, 6, 7});
  const auto three = place_ranks(4, 1, {sees("a", 0, 4), sees("a", 0, 4), sees("a", 0, 4)});
  expect(three[0], 0, 1, {0});
  expect(three[1], 1, 2, {1});
  expect(three[2], 2, 4, {2, 3});
}

TEST(PlaceRanks, processes_that_see_different_gpus_keep_them) {
  const auto two = place_ranks(8, 1, {sees("a", 0, 4), sees("a", 4, 8)});
  expect(two[0], 0, 4, {0, 1, 2, 3});
  expect(two[1], 4, 8, {0, 1, 2, 3});
}

TEST(PlaceRanks, nodes_get_equal_shares) {
  const auto two = place_ranks(8, 2, {sees("a", 0, 8), sees("b", 0, 8)});
  expect(two[0], 0, 4, {0, 1, 2, 3});
  expect(two[1], 4, 8, {0, 1, 2, 3});
  const auto one = place_ranks(8, 1, {sees("a", 0, 8), sees("b", 0, 8)});
  expect(one[1], 8, 8, {});
}

// srun --distribution=cyclic starts them like this. The ranks of a node must be consecutive.
TEST(PlaceRanks, processes_that_alternate_between_nodes) {
  const auto four =
      place_ranks(4, 2, {sees("a", 0, 1), sees("b", 0, 1), sees("a", 1, 2), sees("b", 1, 2)});
  expect(four[0], 0, 1, {0});
  expect(four[2], 1, 2, {0});
  expect(four[1], 2, 3, {0});
  expect(four[3], 3, 4, {0});
}

TEST(PlaceRanks, bad_numbers) {
  EXPECT_EQ(error_of(16, 1, {sees("a", 0, 4), sees("b", 0, 4)}),
            "16 ranks need 16 GPUs; 2 processes with 4 GPUs each have 8");
  EXPECT_EQ(error_of(16, 1, {sees("a", 0, 4), sees("a", 4, 5), sees("b", 0, 2)}),
            "16 ranks need 16 GPUs; 3 processes with 4, 1 and 2 GPUs have 7");
  EXPECT_EQ(error_of(16, 2, {sees("a", 0, 8)}), "16 ranks need 16 GPUs; this process has 8");
  EXPECT_EQ(error_of(8, 1, {sees("a", 0, 4), sees("b", 0, 4)}),
            "8 ranks on 1 node need 8 GPUs on each; a has 4, and there are 2 nodes");
  EXPECT_EQ(error_of(8, 2, {sees("a", 0, 6), sees("b", 0, 2)}),
            "8 ranks on 2 nodes need 4 GPUs on each; b has 2, and there are 2 nodes");
  EXPECT_EQ(error_of(4, 4, {sees("a", 0, 4), sees("b", 0, 4)}),
            "4 nodes need processes on as many; these are on 2");
}

TEST(PlaceRanks, bad_visible_gpus) {
  EXPECT_EQ(error_of(1, 1, {sees("a", 0, 1), sees("b", 0, 0)}), "process 1 on b sees no GPU");
  EXPECT_EQ(error_of(1, 1, {sees("a", 0, 2), sees("a", 0, 2), sees("a", 0, 2)}),
            "3 processes on a share 2 GPUs: start at most one process per GPU");
  EXPECT_EQ(error_of(2, 1, {sees("a", 0, 2), sees("a", 1, 3)}),
            "processes 0 and 1 see some of the same GPUs: the processes of a node must see either "
            "the same GPUs or different ones (CUDA_VISIBLE_DEVICES)");
}

TEST(PlaceRanks, gather_returns_the_gpus_of_all_processes) {
  run_together(3, 60, [](ProcessGroup& group) {
    const auto all = gather_gpus(group, sees("node", 0, group.rank()));
    for (int32_t process = 0; process < 3; ++process) {
      EXPECT_EQ(all.at(process).node, "node");
      EXPECT_EQ(all.at(process).gpus, sees("node", 0, process).gpus);
    }
  });
}

}  // namespace
}  // namespace cpbench
