// On a GPU the kernels of libraries equal the CPU's reference kernel, for random calls with every
// mask, gaps, overlaps, slices of heads, strides and alignments.
#include <gtest/gtest.h>

#include <cstring>

#include "harness/execute/torch.h"
#include "harness/execute_cuda/attention/find_flash3.h"
#include "harness/execute_cuda/attention/random_call_for_tests.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/load_kernel.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// A copy of a matrix in the GPU's memory, with the alignment of the original.
struct OnGpu {
  explicit OnGpu(const OwnedMatrix& host) : host(host) {
    const auto* end = reinterpret_cast<const std::byte*>(host.memory->data() + host.memory->size());
    bytes = static_cast<size_t>(end - host.matrix.data);
    memory = DeviceArray<std::byte>(bytes + 16);
    matrix = host.matrix;
    matrix.data = memory.data() + reinterpret_cast<uintptr_t>(host.matrix.data) % 16;
    check_cuda(cudaMemcpy(matrix.data, host.matrix.data, bytes, cudaMemcpyHostToDevice), "copy");
    check_cuda(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");  // it has arrived
  }
  // Copies it back to the host's matrix.
  const Matrix& download() const {
    check_cuda(cudaMemcpy(host.matrix.data, matrix.data, bytes, cudaMemcpyDeviceToHost), "copy");
    return host.matrix;
  }
  OwnedMatrix host;
  size_t bytes = 0;
  DeviceArray<std::byte> memory;
  Matrix matrix;
};

// Launches the call and checks that nothing is written beyond the workspace.
void launch(const BoundCall& call, cudaStream_t stream) {
  constexpr size_t kGuard = 4096;
  const auto bytes = static_cast<size_t>(call.workspace_bytes());
  DeviceArray<std::byte> workspace(bytes + kGuard);
  workspace.fill(0xff);
  call.launch(stream, workspace.data());
  check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  std::vector<unsigned char> guard(kGuard);
  check_cuda(cudaMemcpy(guard.data(), workspace.data() + bytes, kGuard, cudaMemcpyDeviceToHost),
             "cudaMemcpy");
  EXPECT_TRUE(std::ranges::all_of(guard, [](unsigned char byte) { return byte == 0xff; }));
}

class LibraryKernel : public testing::TestWithParam<std::tuple<std::string, int32_t, int32_t>> {
 protected:
  void SetUp() override {
    int gpus = 0;
    if (cudaGetDeviceCount(&gpus) != cudaSuccess || gpus == 0) GTEST_SKIP() << "no GPU here";
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    if (std::strcmp(properties.name, "Fake GPU") == 0) GTEST_SKIP() << "no GPU here";
    const auto& [name, head_dim, sm_margin] = GetParam();
    try {
      kernel_ = load_kernel(name, sm_margin);
      kernel_->check(RandomCall(0, head_dim).shape);
    } catch (const UserError& error) {
      GTEST_SKIP() << error.what();
    }
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  void TearDown() override {
    if (stream_) check_cuda(cudaStreamDestroy(stream_), "cudaStreamDestroy");
  }

  std::unique_ptr<GpuKernel> kernel_;
  cudaStream_t stream_ = nullptr;
};

// Needs no GPU. A module can fail to load only because a library of its kernel is not installed.
TEST(LoadKernel, opens_or_says_which_library_is_missing) {
  for (const std::string name : {"flash", "flash3", "cudnn"}) {
    try {
      load_kernel(name);
    } catch (const UserError& error) {
      const std::string message = error.what();
      if (message.starts_with("this cpbench was built without kernel ")) continue;
      if (message.starts_with("kernel 'flash3' requires FlashAttention-3: install ")) continue;
      EXPECT_TRUE(message.starts_with("kernel '" + name + "' cannot be loaded: ")) << message;
      EXPECT_NE(message.find("cannot open shared object file"), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos);
    }
  }
}

constexpr uint32_t kRepeats = 20;   // cuDNN builds about three graphs for each, which takes long
constexpr int32_t kMostRows = 500;  // several tiles of 128

TEST_P(LibraryKernel, forward_equals_the_reference) {
  for (uint32_t seed = 0; seed < kRepeats; ++seed) {
    SCOPED_TRACE(seed);
    RandomCall random(seed, std::get<1>(GetParam()), kMostRows);
    const Dtype dtype = random.pick(0, 1) == 0 ? Dtype::float32 : Dtype::bfloat16;
    const OwnedMatrix o = random.o(Dtype::float32);
    const OwnedMatrix lse =
        random.make(random.rows.q_rows, random.heads.size(), 1, Dtype::float32, false);
    make_reference_kernel()->forward(random.forward(o, lse));

    const OnGpu q(random.q), k(random.k), v(random.v), found_o(random.o(dtype));
    const OnGpu found_lse(random.lse);
    const ForwardCall call{random.shape, random.heads, random.segments, q.matrix,
                           k.matrix,     v.matrix,     found_o.matrix,  found_lse.matrix};
    const std::unique_ptr<BoundCall> bound = kernel_->bind(call);
    launch(*bound, stream_);
    launch(*bound, stream_);
    ASSERT_EQ(difference(found_o.download(), o.matrix, random.rows.q_rows, 0x1p-6f), "") << "o";
    ASSERT_EQ(difference(found_lse.download(), lse.matrix, random.rows.q_rows, 0x1p-9f), "")
        << "lse";
  }
}

TEST_P(LibraryKernel, backward_equals_the_reference) {
  for (uint32_t seed = 0; seed < kRepeats; ++seed) {
    SCOPED_TRACE(seed);
    RandomCall random(seed, std::get<1>(GetParam()), kMostRows);
    random.fill_side_data();
    const OwnedMatrix dq = random.gradient(random.q, random.rows.q_rows);
    const OwnedMatrix dk = random.gradient(random.k, random.rows.kv_rows);
    const OwnedMatrix dv = random.gradient(random.v, random.rows.kv_rows);
    const OnGpu found_dq(random.gradient(random.q, random.rows.q_rows));
    const OnGpu found_dk(random.gradient(random.k, random.rows.kv_rows));
    const OnGpu found_dv(random.gradient(random.v, random.rows.kv_rows));
    make_reference_kernel()->backward(random.backward(dq, dk, dv));

    const OnGpu q(random.q), k(random.k), v(random.v), d_o(random.d_o), lse(random.lse);
    const OnGpu row_sums(random.row_sums);
    const BackwardCall call{random.shape,    random.heads,    random.segments, q.matrix,
                            k.matrix,        v.matrix,        d_o.matrix,      lse.matrix,
                            row_sums.matrix, found_dq.matrix, found_dk.matrix, found_dv.matrix};
    launch(*kernel_->bind(call), stream_);
    ASSERT_EQ(difference(found_dq.download(), dq.matrix, random.rows.q_rows, 0x1p-5f), "") << "dq";
    ASSERT_EQ(difference(found_dk.download(), dk.matrix, random.rows.kv_rows, 0x1p-5f), "") << "dk";
    ASSERT_EQ(difference(found_dv.download(), dv.matrix, random.rows.kv_rows, 0x1p-5f), "") << "dv";
  }
}

// FlashAttention-3 is optional.
std::vector<std::string> with_flash3(std::vector<std::string> kernels) {
  if (find_flash3(open_torch().packages())) kernels.emplace_back("flash3");
  return kernels;
}

constexpr auto kName = [](const auto& test) {
  const auto& [name, head_dim, sm_margin] = test.param;
  return name + "_" + std::to_string(head_dim) + "_margin_" + std::to_string(sm_margin);
};

INSTANTIATE_TEST_SUITE_P(Kernels, LibraryKernel,
                         testing::Combine(testing::ValuesIn(with_flash3({"flash", "cudnn"})),
                                          testing::Values(16, 64, 128, 256), testing::Values(0)),
                         kName);

INSTANTIATE_TEST_SUITE_P(WithMargin, LibraryKernel,
                         testing::Combine(testing::ValuesIn(with_flash3({})),
                                          testing::Values(64, 128), testing::Values(16)),
                         kName);

}  // namespace
}  // namespace cpbench
