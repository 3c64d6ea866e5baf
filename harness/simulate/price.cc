#include "harness/simulate/price.h"

#include <algorithm>

namespace cpbench {
namespace {

AttentionSegment attention_segment(const Segment& s) {
  return {.q_tokens = s.q_rows,
          .kv_tokens = s.kv_rows,
          .causal = s.mask == SegmentMask::causal,
          .band = s.mask == SegmentMask::band,
          .first = s.first,
          .last = s.last};
}

class Pricer {
 public:
  Pricer(const RankProgram& program, const Costs& costs) : program_(program), costs_(costs) {
    written_.resize(program.buffers.size());
    sent_in_.resize(program.buffers.size());
  }

  PricedRank price(Passes passes) {
    const double layer = layer_seconds(size_of(program_.home));
    for (const ProgramStep& step : program_.steps) {
      step_ = &step;
      if (step.pass != last_pass_) begin_pass(step.pass, layer);
      out_.schedule.steps.push_back({step.pass, step.step, tasks()});
      price_step(step);
    }
    if (last_pass_ < 0 && layer > 0) begin_pass(0, layer);
    if (passes == Passes::both && layer > 0) {
      add({.seconds = kBackwardLayerOverForward * layer,
           .step = last_step_,
           .pass = 1,
           .activity = Activity::layer});
    }
    out_.sends.shrink_to_fit();  // of thousands of ranks they stay until all are there
    out_.receives.shrink_to_fit();
    out_.schedule.tasks.shrink_to_fit();
    return std::move(out_);
  }

 private:
  static constexpr double kBackwardLayerOverForward = 2;  // gradients of inputs and of weights

  // What wrote a buffer last: so many tasks are done then (the wait for a receive counts as one),
  // and so many packs; or a receive.
  struct Writer {
    int32_t task = 0;
    int32_t pack = 0;
    int32_t receive = -1;
  };

  int32_t steps() const { return static_cast<int32_t>(out_.schedule.steps.size()); }
  int32_t tasks() const { return static_cast<int32_t>(out_.schedule.tasks.size()); }

  void add(const Task& task) { out_.schedule.tasks.push_back(task); }

  void busy(Activity activity, double seconds) {
    std::vector<Task>& all = out_.schedule.tasks;
    all.push_back({.seconds = seconds,
                   .step = step_->step,
                   .pass = static_cast<uint8_t>(step_->pass),
                   .activity = activity});
    last_step_ = step_->step;
  }

  void begin_pass(int32_t pass, double layer) {
    last_pass_ = pass;
    if (pass == 0 && layer > 0) add({.seconds = layer, .activity = Activity::layer});
  }

  double layer_seconds(int64_t tokens) const {
    const Machine& m = costs_.machine;
    if (costs_.shape.hidden_size == 0) return 0;
    return layer_flops_per_token(costs_.shape) * static_cast<double>(tokens) /
           (m.cluster.peak_flops_per_second * m.gemm_efficiency);
  }

  void price_step(const ProgramStep& step) {
    const auto is_message = [&](const Op& op) {
      return op.kind == OpKind::send || op.kind == OpKind::receive;
    };
    const auto first = program_.ops.begin() + step.first_op;
    const auto last = first + step.ops;
    for (auto op = first; op != last; ++op) {
      if (op->kind == OpKind::send) sent_in_[program_.messages[op->index].buffer] = steps();
    }
    if (costs_.profile.exchange_seconds > 0 && std::any_of(first, last, is_message)) {
      busy(Activity::send, costs_.profile.exchange_seconds);
    }
    for (auto op = first; op != last; ++op) price(*op);
  }

  void price(const Op& op) {
    switch (op.kind) {
      case OpKind::call:
        price_call(program_.calls[op.index]);
        break;
      case OpKind::send: {
        const Message& m = program_.messages[op.index];
        if (costs_.profile.messages_by_rank) {
          busy(Activity::send, message_seconds(m));
          out_.sends.push_back({m.peer, m.tag, m.bytes, tasks()});
          break;
        }
        const Writer& writer = written_[m.buffer];
        out_.sends.push_back({m.peer, m.tag, m.bytes, writer.receive < 0 ? writer.task : 0,
                              writer.pack, writer.receive});
        for (size_t i = unsent_pack_; i < out_.schedule.packs.size(); ++i) {
          out_.schedule.packs[i].exchange = m.tag;  // made an exchange by make_schedule
        }
        unsent_pack_ = out_.schedule.packs.size();
        break;
      }
      case OpKind::receive: {
        const Message& m = program_.messages[op.index];
        written_[m.buffer] = {tasks() + 1, 0, static_cast<int32_t>(out_.receives.size())};
        out_.receives.push_back({m.peer, m.tag, m.bytes, tasks()});
        add({.arrival = 0,
             .step = step_->step,
             .pass = static_cast<uint8_t>(step_->pass),
             .activity = Activity::wait});
        if (costs_.profile.messages_by_rank) busy(Activity::copy, message_seconds(m));
        break;
      }
      case OpKind::row_sums: {
        const Buffer& o = program_.buffers[program_.o];
        const Buffer& d_o = program_.buffers[program_.d_o];
        busy(Activity::merge, copy_seconds(static_cast<double>(o.bytes + d_o.bytes), 1));
        written_[program_.d_o] = {tasks()};
        break;
      }
      case OpKind::rows:
        price_rows(program_.row_ops[op.index]);
        break;
    }
  }

  void price_call(const Call& call) {
    const KernelPass pass = call.d_o < 0 ? KernelPass::forward : KernelPass::backward;
    CallTime time(costs_.kernel, pass, costs_.shape, call.heads.size());
    for (int32_t i = 0; i < call.segments; ++i) {
      time.add(attention_segment(program_.segments[call.first_segment + i]));
    }
    busy(Activity::attention, costs_.machine.kernel_launch_seconds + time.seconds());
    written_[call.out] = {tasks()};
    if (call.dkv >= 0) written_[call.dkv] = {tasks()};
  }

  void price_rows(const RowOp& op) {
    const Profile& profile = costs_.profile;
    const double passes = op.mode == RowMode::store ? profile.copy_passes : 1;
    const double seconds =
        copy_seconds(passes * bytes_of(op), profile.copies_by_slices ? op.runs : 1);
    if (sent_in_[op.target] == steps() && !profile.messages_by_rank) {
      // Of what is read and of what stands in the message already.
      int32_t sources = written_[op.target].task;
      if (op.source >= 0) sources = std::max(sources, written_[op.source].task);
      out_.schedule.packs.push_back({.seconds = seconds,
                                     .after_task = sources,
                                     .step = step_->step,
                                     .pass = static_cast<uint8_t>(step_->pass)});
      written_[op.target] = {sources, static_cast<int32_t>(out_.schedule.packs.size())};
      return;
    }
    busy(op.mode == RowMode::accumulate ? Activity::merge : Activity::copy, seconds);
    written_[op.target] = {tasks()};
  }

  // Read and written.
  double bytes_of(const RowOp& op) const {
    const Buffer& target = program_.buffers[op.target];
    const auto share = [&](const Buffer& buffer) {  // of these rows and heads
      return static_cast<double>(parts_of(buffer, costs_.shape).bytes) /
             static_cast<double>(std::max<int64_t>(1, buffer.rows)) * op.heads.size() /
             buffer.heads.size() * op.rows;
    };
    if (op.mode == RowMode::clear) return share(target);
    if (op.mode == RowMode::store) return share(program_.buffers[op.source]) + share(target);
    if (target.tensor == Tensor::o) {
      return costs_.profile.merge_bytes * op.rows * op.heads.size() * costs_.shape.value_head_dim;
    }
    return share(program_.buffers[op.source]) + 2 * share(target);
  }

  double message_seconds(const Message& m) const {
    return copy_seconds(2 * static_cast<double>(m.bytes), 1);
  }

  double copy_seconds(double bytes, int64_t launches) const {
    const Profile& profile = costs_.profile;
    const double launch =
        profile.slice_seconds > 0 ? profile.slice_seconds : costs_.machine.kernel_launch_seconds;
    return static_cast<double>(launches) * launch +
           bytes / (profile.copy_efficiency * costs_.machine.achieved_memory_bytes_per_second);
  }

  const RankProgram& program_;
  const Costs& costs_;
  PricedRank out_;
  std::vector<Writer> written_;   // by buffer
  std::vector<int32_t> sent_in_;  // by buffer: the number of steps when it was sent; 0: never
  size_t unsent_pack_ = 0;
  const ProgramStep* step_ = nullptr;
  int32_t last_pass_ = -1;
  int32_t last_step_ = 0;
};

}  // namespace

PricedRank price(const RankProgram& program, Passes passes, const Costs& costs) {
  return Pricer(program, costs).price(passes);
}

}  // namespace cpbench
