// cuDNN has execution plans for all calls of the suites for GPUs, and serialises them without a
// GPU.
#include <gtest/gtest.h>

#include <string_view>

#include "tests/cudnn_shapes/gpu_shapes.h"

namespace cpbench {
namespace {

constexpr int kOldestCudnn = 90800;

class CudnnShapesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (loaded_cudnn() < kOldestCudnn) GTEST_SKIP() << "cuDNN " << loaded_cudnn() << " is too old";
  }
};

class CudnnShapesOfSuite : public CudnnShapesTest,
                           public testing::WithParamInterface<const char*> {};

TEST_P(CudnnShapesOfSuite, have_execution_plans_on_an_h200) {
  const CudnnShapes shapes = shapes_of_suite(GetParam());
  EXPECT_FALSE(shapes.empty());
  for (const CudnnShape& shape : shapes) EXPECT_NO_THROW(check_sdpa_graph(shape, kH200));
  RecordProperty("shapes", static_cast<int>(shapes.size()));
}

INSTANTIATE_TEST_SUITE_P(Suites, CudnnShapesOfSuite,
                         testing::Values("gpu_correctness", "gpu_replay", "gpu_regression",
                                         "quick_h100"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(CudnnShapesTest, shapes_of_the_calibration_have_execution_plans_and_files_of_their_own) {
  const CudnnShapes shapes = shapes_of_calibration("llama3_8b");
  std::set<std::string> files;
  for (const CudnnShape& shape : shapes) {
    EXPECT_NO_THROW(check_sdpa_graph(shape, kH200));
    files.insert(sdpa_graph_file(shape, kH200Device));
  }
  EXPECT_FALSE(shapes.empty());
  EXPECT_EQ(files.size(), shapes.size());
}

TEST_F(CudnnShapesTest, a_graph_is_serialised_with_its_compiled_code) {
  const std::vector<uint8_t> bytes =
      serialized_sdpa_graph(*shapes_of_calibration("llama3_8b").begin(), kH200);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_NE(text.find("cudnn_backend_data"), std::string_view::npos);
  EXPECT_GT(bytes.size(), 50'000u);  // without the code it is a tenth of that
}

}  // namespace
}  // namespace cpbench
