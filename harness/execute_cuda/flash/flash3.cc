#include "harness/execute_cuda/flash/flash3.h"

#include <ATen/ops/empty.h>

#include <map>
#include <string>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr const char* kForward = "flash_attn_3::fwd";
constexpr const char* kBackward = "flash_attn_3::bwd";

// For lists of sequences and tiles, and for rounding.
constexpr int64_t kSmallTensors = int64_t{1} << 16;
constexpr int64_t kTile = 128;  // the most rows to which a sequence is padded

std::optional<c10::OperatorHandle> find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchema({name, ""});
}

c10::OperatorHandle operator_named(const char* name) {
  const auto found = find_operator(name);
  if (!found) throw UserError(std::string("FlashAttention-3 has no operator ") + name);
  return *found;
}

using Arguments = std::map<std::string, c10::IValue>;

std::vector<c10::IValue> call(const c10::OperatorHandle& op, Arguments given) {
  std::vector<c10::IValue> stack;
  for (const c10::Argument& argument : op.schema().arguments()) {
    const auto found = given.find(argument.name());
    const bool passed = found != given.end();
    TORCH_CHECK(passed || argument.default_value(), op.schema().name(), " requires ",
                argument.name());
    stack.push_back(passed ? found->second : *argument.default_value());
    if (passed) given.erase(found);
  }
  TORCH_CHECK(given.empty(), op.schema().name(), " has no ", given.begin()->first);
  op.callBoxed(stack);
  return stack;
}

Arguments common(const FlashInput& in, const TorchTensors& tensors, int64_t sm_margin) {
  return {{"q", tensors.tensor(in.q, in.width)},
          {"k", tensors.tensor(in.k, in.width)},
          {"v", tensors.tensor(in.v, in.width)},
          {"cu_seqlens_q", tensors.ints(in.q_starts, in.sequences + 1)},
          {"cu_seqlens_k", tensors.ints(in.k_starts, in.sequences + 1)},
          {"max_seqlen_q", int64_t{in.max_q}},
          {"max_seqlen_k", int64_t{in.max_k}},
          {"softmax_scale", in.scale},
          {"is_causal", in.window == kCausal},
          {"window_size_left", int64_t{in.window.left}},
          {"window_size_right", int64_t{in.window.right}},
          {"sm_margin", sm_margin}};
}

int64_t rounded(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The head sizes for which there are kernels are multiples of 32 up to 128, and of 64 above.
int64_t padded_width(int32_t width) {
  return width <= 64 ? 64 : rounded(width, width <= 128 ? 32 : 64);
}

}  // namespace

bool has_flash3_operators() { return find_operator(kForward).has_value(); }

Flash3::Flash3(int32_t sm_margin)
    : sm_margin_(sm_margin),
      forward_(operator_named(kForward)),
      backward_(operator_named(kBackward)) {}

// What mha_fwd allocates: the output, log-sum-exp, and four numbers per sequence.
int64_t Flash3::memory_of(const FlashForwardInput& in) {
  const int64_t out = in.out ? 0 : elements_of(in.q, in.width) * 2;
  return out + in.q.rows * in.q.heads * 4 + 16 * int64_t{in.sequences} + kSmallTensors;
}

// What mha_bwd allocates, besides the gradients that `backward` does: row sums, log-sum-exp, dQ and
// for grouped heads dK and dV in float32, all with padded sequences, and a number per tile.
int64_t Flash3::memory_of(const FlashBackwardInput& in) {
  const int64_t width = padded_width(in.width), sequences = in.sequences;
  const auto padded = [&](int64_t rows) { return rounded(rows + kTile * sequences, kTile); };
  int64_t bytes = elements_of(in.q, in.width) * 2 + 2 * elements_of(in.k, in.width) * 2;
  bytes += padded(in.q.rows) * in.q.heads * (width + 2) * 4;
  if (in.k.heads != in.q.heads) bytes += 2 * padded(in.k.rows) * in.k.heads * width * 4;
  constexpr int64_t kLeastTile = 32;
  bytes += rounded(in.max_q, kLeastTile) / kLeastTile * sequences * in.q.heads * 4;
  return bytes + kSmallTensors;
}

FlashOutput Flash3::forward(const FlashForwardInput& in, const TorchTensors& tensors,
                            HeldTensors& held) const {
  Arguments arguments = common(in, tensors, sm_margin_);
  arguments["seqused_k"] = tensors.ints(in.k_used, in.sequences);
  arguments["num_splits"] = int64_t{1};
  if (in.out) arguments["out"] = tensors.dense(in.out, in.q, in.width);
  const std::vector<c10::IValue> results = call(forward_, std::move(arguments));
  return output_of(results.at(0).toTensor(), results.at(1).toTensor(), in, held);
}

FlashGradients Flash3::backward(const FlashBackwardInput& in, const TorchTensors& tensors,
                                HeldTensors& held) const {
  Arguments arguments = common(in, tensors, sm_margin_);
  arguments["dout"] = tensors.tensor(in.d_o, in.width);
  arguments["out"] = tensors.tensor(in.out, in.width);
  arguments["softmax_lse"] = tensors.lse(in);
  const auto empty_like = [&](const FlashTensor& t) {
    return at::empty({t.rows, t.heads, in.width}, arguments.at("q").toTensor().options());
  };
  const at::Tensor dq = empty_like(in.q), dk = empty_like(in.k), dv = empty_like(in.v);
  arguments["dq"] = dq;
  arguments["dk"] = dk;
  arguments["dv"] = dv;
  call(backward_, std::move(arguments));
  return gradients_of(dq, dk, dv, held);
}

}  // namespace cpbench
