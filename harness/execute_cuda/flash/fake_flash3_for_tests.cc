// A fake of FlashAttention-3's library: it registers the operators under the schema of the real one
// (hopper/flash_api.cpp of flash-attention), checks what it is given as GoogleTest does, and
// computes on the CPU. It is a part of flash3_test, and a library of its own for tests/fake_gpu.
#include "harness/execute_cuda/flash/fake_flash3_for_tests.h"

#include <ATen/ops/from_blob.h>
#include <torch/library.h>

#include <cstdlib>

#include "harness/execute_cuda/attention/emulated_flash_for_tests.h"

namespace cpbench {

std::atomic<int64_t> last_flash3_sm_margin = -1;

namespace {

constexpr int64_t kMostTile = 192;  // rows

// The arguments of a call by name. What nobody takes must have its default.
class Given {
 public:
  Given(const c10::OperatorHandle& op, torch::jit::Stack& stack) {
    const auto& arguments = op.schema().arguments();
    EXPECT_EQ(stack.size(), arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      values_[arguments[i].name()] = {stack[i], arguments[i].default_value()};
    }
    stack.clear();
  }
  ~Given() {
    for (const auto& [name, value] : values_) {
      EXPECT_TRUE(value.second && value.first == *value.second) << name << " is not its default";
    }
  }
  c10::IValue take(const std::string& name) { return values_.extract(name).mapped().first; }
  at::Tensor tensor(const std::string& name, at::ScalarType type) {
    const at::Tensor found = take(name).toTensor();
    EXPECT_EQ(found.scalar_type(), type) << name;
    EXPECT_EQ(found.stride(-1), 1) << name;
    return found;
  }
  FlashTensor rows(const std::string& name) {
    const at::Tensor t = tensor(name, at::kBFloat16);
    EXPECT_EQ(t.dim(), 3) << name;
    EXPECT_EQ(t.stride(1), t.size(2)) << name;
    // The library loads tiles by TMA.
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t.data_ptr()) % 16, 0u) << name;
    EXPECT_EQ(t.stride(0) * 2 % 16, 0) << name;
    return {static_cast<BFloat16*>(t.data_ptr()), t.size(0), t.stride(0),
            static_cast<int32_t>(t.size(1))};
  }
  const int32_t* ints(const std::string& name, int64_t count) {
    const at::Tensor t = tensor(name, at::kInt);
    EXPECT_EQ(t.numel(), count) << name;
    return t.data_ptr<int32_t>();
  }

 private:
  std::map<std::string, std::pair<c10::IValue, std::optional<c10::IValue>>> values_;
};

void read_common(Given& given, int64_t width, int64_t sequences, FlashInput& in) {
  in.width = static_cast<int32_t>(width);
  in.sequences = static_cast<int32_t>(sequences);
  in.scale = given.take("softmax_scale").toDouble();
  in.max_q = static_cast<int32_t>(given.take("max_seqlen_q").toInt());
  in.max_k = static_cast<int32_t>(given.take("max_seqlen_k").toInt());
  in.window = {static_cast<int32_t>(given.take("window_size_left").toInt()),
               static_cast<int32_t>(given.take("window_size_right").toInt())};
  if (given.take("is_causal").toBool()) in.window.right = 0;
  last_flash3_sm_margin = given.take("sm_margin").toInt();
  if (const char* expected = std::getenv("FAKE_FLASH3_SM_MARGIN")) {
    EXPECT_EQ(std::to_string(last_flash3_sm_margin), expected);
  }
}

// The library multiplies the rows after the end of a sequence by zero, so that NaN there becomes
// NaN in its results.
bool numbers_follow(const FlashTensor& t, int64_t width, int64_t end) {
  for (int64_t row = end; row < std::min(t.rows, end + kMostTile); ++row) {
    for (int64_t i = 0; i < t.heads * width; ++i) {
      if (!std::isfinite(static_cast<float>(t.data[row * t.row_stride + i]))) return false;
    }
  }
  return true;
}

at::Tensor copy_of(const void* data, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<void*>(data), sizes, at::TensorOptions().dtype(type)).clone();
}

void fake_forward(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  Given given(op, *stack);
  FlashForwardInput in;
  const at::Tensor starts = given.tensor("cu_seqlens_q", at::kInt);
  const at::Tensor q = given.tensor("q", at::kBFloat16);
  const int64_t width = q.size(2), sequences = starts.numel() - 1;
  read_common(given, width, sequences, in);
  in.q = {static_cast<BFloat16*>(q.data_ptr()), q.size(0), q.stride(0),
          static_cast<int32_t>(q.size(1))};
  in.k = given.rows("k");
  in.v = given.rows("v");
  in.q_starts = starts.data_ptr<int32_t>();
  in.k_starts = given.ints("cu_seqlens_k", sequences + 1);
  in.k_used = given.ints("seqused_k", sequences);
  EXPECT_EQ(given.take("num_splits").toInt(), 1);
  const c10::IValue out = given.take("out");
  bool numbers = true;
  for (int64_t s = 0; s < sequences; ++s) {
    if (in.k_used[s] == 0) continue;
    for (const FlashTensor& each : {in.k, in.v}) {
      numbers = numbers && numbers_follow(each, width, in.k_starts[s] + in.k_used[s]);
    }
  }
  EmulatedFlash library(false);
  const FlashOutput computed = library.forward(in);
  at::Tensor result = copy_of(computed.out, {q.size(0), q.size(1), width}, at::kBFloat16);
  if (!out.isNone()) result = out.toTensor().copy_(result);
  if (!numbers) result.fill_(std::nan(""));
  const at::Tensor lse = copy_of(computed.lse, {q.size(1), q.size(0)}, at::kFloat);
  torch::jit::push(*stack, result, lse, at::Tensor(), at::Tensor());
}

void fake_backward(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  Given given(op, *stack);
  FlashBackwardInput in;
  const at::Tensor starts = given.tensor("cu_seqlens_q", at::kInt);
  const at::Tensor lse = given.tensor("softmax_lse", at::kFloat);
  const at::Tensor dq = given.tensor("dq", at::kBFloat16);
  const at::Tensor dk = given.tensor("dk", at::kBFloat16);
  const at::Tensor dv = given.tensor("dv", at::kBFloat16);
  const int64_t width = dq.size(2), sequences = starts.numel() - 1;
  read_common(given, width, sequences, in);
  in.q = given.rows("q");
  in.k = given.rows("k");
  in.v = given.rows("v");
  in.d_o = given.rows("dout");
  in.out = given.rows("out");
  EXPECT_TRUE(lse.sizes().equals({in.q.heads, in.q.rows}) && lse.is_contiguous());
  in.lse = lse.data_ptr<float>();
  in.q_starts = starts.data_ptr<int32_t>();
  in.k_starts = given.ints("cu_seqlens_k", sequences + 1);
  bool numbers = true;
  for (int64_t s = 1; s <= sequences; ++s) {
    for (const FlashTensor& each : {in.q, in.d_o}) {
      numbers = numbers && numbers_follow(each, width, in.q_starts[s]);
    }
    for (const FlashTensor& each : {in.k, in.v}) {
      numbers = numbers && numbers_follow(each, width, in.k_starts[s]);
    }
  }
  EmulatedFlash library(false);
  const FlashGradients computed = library.backward(in);
  dq.copy_(copy_of(computed.dq, dq.sizes(), at::kBFloat16));
  dk.copy_(copy_of(computed.dk, dk.sizes(), at::kBFloat16));
  dv.copy_(copy_of(computed.dv, dv.sizes(), at::kBFloat16));
  for (const at::Tensor& each : {dq, dk, dv}) {
    if (!numbers) each.fill_(std::nan(""));
  }
  torch::jit::push(*stack, lse, lse, at::Tensor(), at::Tensor(), at::Tensor());
}

TORCH_LIBRARY(flash_attn_3, m) {
  m.def(
      "fwd(Tensor q, Tensor k, Tensor v, Tensor(k_new!)? k_new = None, Tensor(v_new!)? v_new = "
      "None, "
      "Tensor? q_v = None, Tensor(out!)? out = None, Tensor? cu_seqlens_q = None, "
      "Tensor? cu_seqlens_k = None, Tensor? cu_seqlens_k_new = None, Tensor? seqused_q = None, "
      "Tensor? seqused_k = None, int? max_seqlen_q = None, int? max_seqlen_k = None, "
      "Tensor? page_table = None, Tensor? kv_batch_idx = None, Tensor? leftpad_k = None, "
      "Tensor? rotary_cos = None, Tensor? rotary_sin = None, Tensor? seqlens_rotary = None, "
      "Tensor? q_descale = None, Tensor? k_descale = None, Tensor? v_descale = None, "
      "float? softmax_scale = None, bool is_causal = False, int window_size_left = -1, "
      "int window_size_right = -1, int attention_chunk = 0, float softcap = 0.0, "
      "bool is_rotary_interleaved = False, Tensor? scheduler_metadata = None, int num_splits = 0, "
      "bool? pack_gqa = None, int sm_margin = 0) -> (Tensor(out!), Tensor, Tensor, Tensor)");
  m.def(
      "bwd(Tensor dout, Tensor q, Tensor k, Tensor v, Tensor out, Tensor softmax_lse, "
      "Tensor(dq!)? dq = None, Tensor(dk!)? dk = None, Tensor(dv!)? dv = None, "
      "Tensor? cu_seqlens_q = None, Tensor? cu_seqlens_k = None, Tensor? seqused_q = None, "
      "Tensor? seqused_k = None, int? max_seqlen_q = None, int? max_seqlen_k = None, "
      "float? softmax_scale = None, bool is_causal = False, int window_size_left = -1, "
      "int window_size_right = -1, float softcap = 0.0, bool deterministic = False, "
      "int sm_margin = 0) -> (Tensor, Tensor, Tensor, Tensor, Tensor)");
}
TORCH_LIBRARY_IMPL(flash_attn_3, CPU, m) {
  m.impl("fwd", torch::CppFunction::makeFromBoxedFunction<&fake_forward>());
  m.impl("bwd", torch::CppFunction::makeFromBoxedFunction<&fake_backward>());
}

}  // namespace
}  // namespace cpbench
