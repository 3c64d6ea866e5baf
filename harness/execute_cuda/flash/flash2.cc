#include "harness/execute_cuda/flash/flash2.h"

#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>

namespace cpbench {
namespace {

// For what the operators allocate besides the large tensors, and for rounding.
constexpr int64_t kSmallTensors = int64_t{1} << 16;

bool causal(const FlashInput& in) { return in.window == kCausal; }
std::optional<int64_t> left(const FlashInput& in) {
  return causal(in) || in.window == kFull ? std::nullopt : std::optional<int64_t>(in.window.left);
}
std::optional<int64_t> right(const FlashInput& in) {
  return causal(in) || in.window == kFull ? std::nullopt : std::optional<int64_t>(in.window.right);
}

}  // namespace

// What mha_varlen_fwd allocates: the output and log-sum-exp.
int64_t Flash2::memory_of(const FlashForwardInput& in) {
  const int64_t out = in.out ? 0 : elements_of(in.q, in.width) * 2;
  return out + in.q.rows * in.q.heads * 4 + kSmallTensors;
}

// What mha_varlen_bwd allocates: the gradients, dQ in float32, the row sums, and for grouped heads
// dK and dV of all query heads.
int64_t Flash2::memory_of(const FlashBackwardInput& in) {
  const int64_t padded_rows = in.q.rows + 128 * int64_t{in.sequences};
  const int64_t multiple = in.width <= 128 ? 32 : 64;
  const int64_t padded_width = (in.width + multiple - 1) / multiple * multiple;
  int64_t bytes = elements_of(in.q, in.width) * 2 + 2 * elements_of(in.k, in.width) * 2;
  bytes += padded_rows * in.q.heads * (padded_width + 1) * 4;
  if (in.k.heads != in.q.heads) bytes += 2 * in.k.rows * in.q.heads * in.width * 2;
  return bytes + kSmallTensors;
}

FlashOutput Flash2::forward(const FlashForwardInput& in, const TorchTensors& tensors,
                            HeldTensors& held) const {
  const auto [out, lse, rng_state, unused, mask] = at::_flash_attention_forward(
      tensors.tensor(in.q, in.width), tensors.tensor(in.k, in.width),
      tensors.tensor(in.v, in.width), tensors.ints(in.q_starts, in.sequences + 1),
      tensors.ints(in.k_starts, in.sequences + 1), in.max_q, in.max_k, 0.0, causal(in), false,
      std::optional<double>(in.scale), left(in), right(in),
      std::optional<at::Tensor>(tensors.ints(in.k_used, in.sequences)),
      std::optional<at::Tensor>());
  return output_of(out, lse, in, held);
}

FlashGradients Flash2::backward(const FlashBackwardInput& in, const TorchTensors& tensors,
                                HeldTensors& held) const {
  // The state of dropout, which is not used: any two numbers.
  const at::Tensor unused = tensors.blob(in.lse, {2}, {1}, at::kUInt64);
  const auto [dq, dk, dv] = at::_flash_attention_backward(
      tensors.tensor(in.d_o, in.width), tensors.tensor(in.q, in.width),
      tensors.tensor(in.k, in.width), tensors.tensor(in.v, in.width),
      tensors.tensor(in.out, in.width), tensors.lse(in),
      tensors.ints(in.q_starts, in.sequences + 1), tensors.ints(in.k_starts, in.sequences + 1),
      in.max_q, in.max_k, 0.0, causal(in), unused, unused, std::optional<double>(in.scale),
      left(in), right(in));
  return gradients_of(dq, dk, dv, held);
}

}  // namespace cpbench
