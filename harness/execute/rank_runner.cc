#include "harness/execute/rank_runner.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "harness/execute/inputs.h"
#include "harness/execute/sinks.h"

namespace cpbench {

RankRunner::RankRunner(const Program& program, int32_t rank, const Kernel& kernel,
                       Transport& transport, ProgressListener& listener)
    : program_(program),
      mine_(program.ranks[rank]),
      rank_(rank),
      kernel_(kernel),
      transport_(transport),
      listener_(listener),
      arena_(mine_.arena_bytes),
      bound_(mine_, program.shape, arena_.data()),
      sink_gradient_(program.shape.attention_sinks && mine_.d_o >= 0 ? program.shape.query_heads
                                                                     : 0) {
  constexpr size_t kLayerEvents = 4;
  events_.reserve(mine_.ops.size() + kLayerEvents);
  if (program.shape.hidden_size > 0) {
    layer_.emplace(program.shape, layer_home(mine_, program.shape, &bound_.buffers), Cores::one);
  }
}

void RankRunner::fill_inputs(uint64_t seed) {
  sinks_ = sink_logits(program_.shape, seed);
  if (layer_) {
    layer_->bound().fill_inputs(mine_.home, seed,
                                [](const Matrix& matrix, Range rows, int64_t row, uint64_t own) {
                                  fill_input(matrix, Input::q, rows, row, own);
                                });
    return;
  }
  const Heads heads{0, program_.shape.query_heads};
  const Heads kv{0, program_.shape.kv_heads};
  int64_t row = 0;
  for (const Range& tokens : mine_.home) {
    fill_input(matrix_of(bound(mine_.q), 0, heads), Input::q, tokens, row, seed);
    fill_input(matrix_of(bound(mine_.kv), 0, kv), Input::k, tokens, row, seed);
    fill_input(matrix_of(bound(mine_.kv), 1, kv), Input::v, tokens, row, seed);
    if (mine_.d_o >= 0) {
      fill_input(matrix_of(bound(mine_.d_o), 2, heads), Input::d_o, tokens, row, seed);
    }
    row += tokens.size();
  }
}

int32_t RankRunner::peer_of(const Op& op) const {
  return op.kind == OpKind::receive ? mine_.messages[op.index].peer : -1;
}

// Messages without bytes take no time, but are waited for.
Activity RankRunner::run(const Op& op, Portion portion) {
  if (op.kind != OpKind::send && op.kind != OpKind::receive) {
    return portion == Portion::exchanges ? activity_of(mine_, op) : work(op);
  }
  const Message& m = mine_.messages[op.index];
  const std::span bytes(bound(m.buffer).data,
                        portion == Portion::work ? 0 : static_cast<size_t>(m.bytes));
  if (op.kind == OpKind::send) {
    transport_.send(rank_, m.peer, m.tag, bytes);
    return Activity::send;
  }
  transport_.receive(m.peer, rank_, m.tag, bytes);
  return Activity::wait;
}

Activity RankRunner::work(const Op& op) {
  switch (op.kind) {
    case OpKind::rows: {
      const RowOp& rows = mine_.row_ops[op.index];
      const BoundBuffer& target = bound(rows.target);
      run_row_op(rows, {mine_.runs.data() + rows.first_run, static_cast<size_t>(rows.runs)},
                 mine_.buffers[rows.target].tensor, rows.source < 0 ? target : bound(rows.source),
                 target);
      break;
    }
    case OpKind::call:
      if (static_cast<size_t>(op.index) < bound_.forward.size()) {
        kernel_.forward(bound_.forward[op.index]);
      } else {
        kernel_.backward(bound_.backward[op.index - bound_.forward.size()]);
      }
      break;
    case OpKind::sinks:
      run_sinks(sinks_, bound(mine_.o), mine_.buffers[mine_.o].rows);
      break;
    case OpKind::row_sums:
      run_row_sums(bound(mine_.o), bound(mine_.d_o), mine_.buffers[mine_.o].rows);
      run_sink_gradient(sinks_, bound(mine_.d_o), mine_.buffers[mine_.o].rows, sink_gradient_);
      break;
    default:
      throw std::logic_error("programs for CPUs must not have collectives");
  }
  return activity_of(mine_, op);
}

double RankRunner::now() const {
  return std::chrono::duration<double>(Clock::now() - origin_).count();
}

template <typename Work>
void RankRunner::measure(int32_t pass, int32_t step, int32_t waiting_for, const Work& work) {
  listener_.operation_started(rank_, pass, step, waiting_for);
  const double start = now();
  const Activity activity = work();
  const double end = now();
  seconds_[static_cast<size_t>(activity)] += end - start;
  events_.push_back({rank_, pass, step, activity, start, end});
}

void RankRunner::run_layer(int32_t pass, int32_t step, const std::vector<LayerOp>& ops,
                           Portion portion) {
  if (portion == Portion::exchanges) return;
  measure(pass, step, -1, [&] {
    layer_->run(ops);
    return Activity::layer;
  });
}

void RankRunner::iterate(Clock::time_point origin, Portion portion) {
  origin_ = origin;
  seconds_.fill(0);
  events_.clear();
  begin_seconds_ = now();
  const int32_t last_pass = program_.passes == Passes::both ? 1 : 0;
  auto step = mine_.steps.begin();
  for (int32_t pass = 0; pass <= last_pass; ++pass) {
    int32_t last_step = 0;
    if (layer_) run_layer(pass, 0, layer_->bound().before(pass), portion);
    for (; step != mine_.steps.end() && step->pass == pass; ++step) {
      last_step = step->step;
      for (int32_t i = step->first_op; i < step->first_op + step->ops; ++i) {
        const Op& op = mine_.ops[i];
        measure(pass, step->step, peer_of(op), [&] { return run(op, portion); });
      }
    }
    if (layer_) run_layer(pass, last_step, layer_->bound().after(pass), portion);
  }
  end_seconds_ = now();
}

double RankRunner::overhead_seconds() const {
  return end_seconds_ - begin_seconds_ - std::accumulate(seconds_.begin(), seconds_.end(), 0.0);
}

HomeOutputs RankRunner::outputs() const {
  const auto at_home = [&](int32_t buffer) { return buffer < 0 ? nullptr : &bound(buffer); };
  return {mine_.home,
          at_home(mine_.o),
          at_home(mine_.dq),
          at_home(mine_.dkv),
          layer_ ? &layer_->bound().outputs() : nullptr,
          sink_gradient_};
}

}  // namespace cpbench
