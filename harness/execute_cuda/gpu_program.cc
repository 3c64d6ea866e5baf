#include "harness/execute_cuda/gpu_program.h"

#include <algorithm>

#include "harness/execute/sinks.h"

namespace cpbench {

GpuProgram::GpuProgram(const RankProgram& program, const AttentionShape& shape,
                       const GpuKernel& kernel, const std::function<void()>& bound)
    : program_(program),
      shape_(shape),
      arena_(static_cast<size_t>(program.arena_bytes)),
      bound_(program, shape, arena_.data()),
      runs_(program) {
  int64_t most = 0;
  const auto add = [&](std::unique_ptr<BoundCall> call) {
    most = std::max(most, call->workspace_bytes());
    calls_.push_back(std::move(call));
    if (bound) bound();
  };
  for (const ForwardCall& call : bound_.forward) add(kernel.bind(call));
  for (const BackwardCall& call : bound_.backward) add(kernel.bind(call));
  workspace_ = DeviceArray<std::byte>(static_cast<size_t>(most));
  if (shape.hidden_size > 0) layer_.emplace(program, shape, bound_.buffers);
  set_sinks(0);  // so that a warm-up has some
}

void GpuProgram::run_layer(int32_t pass, bool before, cudaStream_t stream) const {
  const BoundLayer& layer = layer_->bound();
  layer_->run(before ? layer.before(pass) : layer.after(pass), stream);
}

void GpuProgram::set_sinks(uint64_t seed) {
  const std::vector<double> logits = sink_logits(shape_, seed);
  sinks_ = DeviceArray<double>(std::span<const double>(logits));
  const int64_t blocks = program_.d_o < 0 ? 0 : sink_blocks(home_rows());
  sink_sums_ = DeviceArray<double>(blocks * logits.size());
}

std::vector<double> GpuProgram::sink_gradient() const {
  std::vector<double> sums(sink_sums_.size());
  if (program_.d_o < 0 || sinks_.size() == 0) return {};
  check_cuda(cudaMemcpy(sums.data(), sink_sums_.data(), sums.size() * sizeof(double),
                        cudaMemcpyDeviceToHost),
             "cudaMemcpy");
  std::vector<double> gradient(sinks_.size(), 0);
  for (size_t i = 0; i < sums.size(); ++i) gradient[i % gradient.size()] += sums[i];
  return gradient;
}

void GpuProgram::warm_up(cudaStream_t stream) const {
  for (int32_t pass = 0; layer_ && pass < 2; ++pass) {
    for (bool before : {true, false}) run_layer(pass, before, stream);
  }
  for (const Op& op : program_.ops) {
    if (!exchanges_bytes(op.kind)) run(op, stream);
  }
}

void GpuProgram::fill_inputs(uint64_t seed, cudaStream_t stream) {
  arena_.fill(0xff);
  set_sinks(seed);
  if (layer_) return layer_->fill_inputs(program_.home, seed, stream);
  const auto fill = [&](int32_t index, int32_t part, Input input) {
    if (index < 0) return;
    const BoundBuffer& to = buffer(index);
    int64_t row = 0;
    for (const Range& tokens : program_.home) {
      launch_fill_input(matrix_of(to, part, to.heads), input, tokens, row, seed, stream);
      row += tokens.size();
    }
  };
  fill(program_.q, 0, Input::q);
  fill(program_.kv, 0, Input::k);
  fill(program_.kv, 1, Input::v);
  fill(program_.d_o, 2, Input::d_o);
}

void GpuProgram::fill_everything(uint64_t seed, cudaStream_t stream) {
  // Fills the arena as one tensor of the model's dtype. A wider element is then also a number of
  // about 1, because its upper half is one.
  constexpr int64_t kWidth = kBufferAlignment;
  const int64_t width = kWidth / bytes_of(shape_.dtype);
  const Matrix all{arena_.data(), shape_.dtype, 1, width, width};
  const auto rows = static_cast<int64_t>(arena_.size()) / kWidth;
  launch_fill_input(all, Input::q, {0, rows}, 0, seed, stream);
}

void GpuProgram::run(const Op& op, cudaStream_t stream) const {
  if (op.kind == OpKind::rows) {
    const RowOp& rows = program_.row_ops[op.index];
    const BoundBuffer& target = buffer(rows.target);
    launch_row_op(rows, runs_, program_.buffers[rows.target].tensor,
                  rows.source < 0 ? target : buffer(rows.source), target, stream);
  } else if (op.kind == OpKind::call) {
    calls_[op.index]->launch(stream, workspace_.data());
  } else if (op.kind == OpKind::sinks) {
    launch_sinks(sinks_.data(), buffer(program_.o), home_rows(), stream);
  } else if (op.kind == OpKind::row_sums) {
    launch_row_sums(buffer(program_.o), buffer(program_.d_o), home_rows(), stream);
    if (sinks_.size() == 0) return;
    launch_sink_sums(sinks_.data(), buffer(program_.d_o), home_rows(), sink_sums_.data(), stream);
  }
}

int64_t GpuProgram::planned_bytes() const {
  return static_cast<int64_t>(arena_.size() + workspace_.size()) + (layer_ ? layer_->bytes() : 0);
}

CopiedOutputs::CopiedOutputs(const RankProgram& program, const GpuProgram& on_gpu)
    : program_(program), sinks_(on_gpu.sink_gradient()) {
  for (int32_t index : {program.o, program.dq, program.dkv}) {
    if (index < 0) continue;
    Copy& copy = copies_.emplace_back();
    copy.buffer = on_gpu.buffer(index);
    copy.bytes.resize(copy.buffer.parts.bytes);
    check_cuda(
        cudaMemcpy(copy.bytes.data(), copy.buffer.data, copy.bytes.size(), cudaMemcpyDeviceToHost),
        "cudaMemcpy");
    copy.buffer.data = copy.bytes.data();
  }
  if (!on_gpu.layer_outputs()) return;
  layer_ = *on_gpu.layer_outputs();
  layer_->out = copied(layer_->out);
  layer_->dx = copied(layer_->dx);
  for (Dense& weight : layer_->weight_gradients) weight = copied(weight);
}

Dense CopiedOutputs::copied(const Dense& matrix) {
  std::vector<std::byte>& bytes = layer_bytes_.emplace_back(matrix.bytes());
  if (!bytes.empty()) {
    check_cuda(cudaMemcpy(bytes.data(), matrix.data, bytes.size(), cudaMemcpyDeviceToHost),
               "cudaMemcpy");
  }
  return {bytes.data(), matrix.dtype, matrix.rows, matrix.columns};
}

HomeOutputs CopiedOutputs::view() const {
  const auto at = [&](size_t i) { return i < copies_.size() ? &copies_[i].buffer : nullptr; };
  return {program_.home, at(0), at(1), at(2), layer_ ? &*layer_ : nullptr, sinks_};
}

}  // namespace cpbench
