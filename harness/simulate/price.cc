#include "harness/simulate/price.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "harness/plan/plan_bytes.h"
#include "harness/simulate/collectives.h"

namespace cpbench {
namespace {

AttentionSegment attention_segment(const Segment& s) {
  return {.q_tokens = s.q_rows,
          .kv_tokens = s.kv_rows,
          .causal = s.mask == SegmentMask::causal,
          .count = s.count,
          .summed = s.summed,
          .band = s.mask == SegmentMask::band,
          .first = s.first,
          .last = s.last};
}

class Pricer {
 public:
  Pricer(const RankProgram& program, const Costs& costs, std::span<const double> measured)
      : program_(program), costs_(costs), measured_(measured) {
    written_.resize(program.buffers.size());
    sent_in_.resize(program.buffers.size());
    arrives_by_.resize(program.buffers.size());
    segments_of_.resize(program.buffers.size(), 1);
  }

  PricedRank price(Passes passes) {
    add_layer(Around::before_attention);
    written_[program_.q] = written_[program_.kv] = {tasks()};
    if (program_.latents >= 0) written_[program_.latents] = {tasks()};
    for (const ProgramStep& step : program_.steps) {
      step_ = &step;
      if (step.pass != pass_) turn();
      out_.schedule.steps.push_back({step.pass, step.step, tasks()});
      price_step(step);
    }
    if (passes == Passes::both && pass_ == 0) turn();
    add_layer(pass_ == 0 ? Around::after_attention : Around::before_attention);
    out_.sends.shrink_to_fit();  // those of thousands of ranks stay in memory until all are priced
    out_.receives.shrink_to_fit();
    out_.schedule.tasks.shrink_to_fit();
    return std::move(out_);
  }

 private:
  static constexpr double kBackwardLayerOverForward = 2;  // gradients of inputs and of weights
  // In the forward pass: the projections of Q, K and V, and those of O and the FFN. The backward
  // pass has them the other way round.
  enum class Around : uint8_t { before_attention, after_attention };

  // The last write of a buffer: how many tasks and packs are then done (the wait for a receive is a
  // task), or the receive that wrote it.
  struct Writer {
    int32_t task = 0;
    int32_t pack = 0;
    int32_t receive = -1;
  };

  struct LibraryCall {
    CollectiveKind kind = CollectiveKind::all_gather;
    bool begun = false;
    bool added = false;
  };

  int32_t steps() const { return static_cast<int32_t>(out_.schedule.steps.size()); }
  int32_t tasks() const { return static_cast<int32_t>(out_.schedule.tasks.size()); }

  void add(const Task& task) { out_.schedule.tasks.push_back(task); }

  void busy(Activity activity, double seconds, double host_seconds = 0) {
    std::vector<Task>& all = out_.schedule.tasks;
    all.push_back({.seconds = seconds,
                   .host_seconds = host_seconds,
                   .step = step_->step,
                   .pass = static_cast<uint8_t>(step_->pass),
                   .activity = activity});
    last_step_ = step_->step;
  }

  // From the forward to the backward pass.
  void turn() {
    add_layer(Around::after_attention);
    pass_ = 1;
    last_step_ = 0;
    add_layer(Around::after_attention);
  }

  void add_layer(Around part) {
    const AttentionShape& shape = costs_.shape;
    if (shape.hidden_size == 0) return;
    const ClusterModel& m = costs_.machine;
    const double projections =
        2.0 * static_cast<double>(shape.hidden_size) *
        (shape.query_heads * shape.head_dim +
         shape.kv_heads * (shape.head_dim + shape.value_head_dim));  // of Q, K and V
    const double flops =
        part == Around::before_attention ? projections : layer_flops_per_token(shape) - projections;
    add({.seconds = (pass_ == 0 ? 1 : kBackwardLayerOverForward) * flops *
                    static_cast<double>(size_of(program_.home)) /
                    (m.cluster.peak_flops_per_second * m.gemm_efficiency),
         .step = last_step_,
         .pass = static_cast<uint8_t>(pass_),
         .activity = Activity::layer});
  }

  void price_step(const ProgramStep& step) {
    const auto first = program_.ops.begin() + step.first_op;
    const auto last = first + step.ops;
    for (auto op = first; op != last; ++op) {
      if (op->kind == OpKind::send) sent_in_[program_.messages[op->index].buffer] = steps();
    }
    for (auto op = first; op != last; ++op) {
      op_ = op - program_.ops.begin();
      price(*op);
    }
  }

  // Seconds of the current operation: the measured ones, or else those of the model.
  template <typename Model>
  double seconds_of(const Model& model) const {
    return measured_.empty() ? model() : measured_[op_];
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
        if (LibraryCall* call = library_call(m.tag); begins(call, CollectiveKind::reduce_scatter)) {
          lay_out_before(m.buffer);
        }
        const Writer& writer = written_[m.buffer];
        out_.sends.push_back({m.peer, m.tag, m.bytes, writer.receive < 0 ? writer.task : 0,
                              writer.pack, writer.receive});
        for (size_t i = unsent_pack_; i < out_.schedule.packs.size(); ++i) {
          out_.schedule.packs[i].exchange = m.tag;  // make_schedule replaces it
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
        arrives_by_[m.buffer] = library_call(m.tag);
        if (begins(arrives_by_[m.buffer], CollectiveKind::all_gather)) lay_out_after(m.buffer);
        if (costs_.profile.messages_by_rank) busy(Activity::send, message_seconds(m));
        break;
      }
      case OpKind::sinks: {  // read and written
        const auto bytes = static_cast<double>(2 * program_.buffers[program_.o].bytes);
        busy(Activity::merge, seconds_of([&] { return copy_seconds(bytes, 1); }),
             costs_.profile.launch_host_seconds);
        break;
      }
      case OpKind::row_sums: {
        const Buffer& o = program_.buffers[program_.o];
        const Buffer& d_o = program_.buffers[program_.d_o];
        busy(Activity::merge,
             seconds_of([&] { return copy_seconds(static_cast<double>(o.bytes + d_o.bytes), 1); }),
             costs_.profile.launch_host_seconds);
        written_[program_.d_o] = {tasks()};
        break;
      }
      case OpKind::rows:
        price_rows(program_.row_ops[op.index]);
        break;
      case OpKind::collective:
        throw std::logic_error(
            "internal error: collectives are priced by the messages of their plan");
    }
  }

  void price_call(const Call& call) {
    const KernelPass pass = call.d_o < 0 ? KernelPass::forward : KernelPass::backward;
    const Profile& profile = costs_.profile;
    const double launches = pass == KernelPass::forward ? profile.forward_call_launches
                                                        : profile.backward_call_launches;
    int64_t q_rows = 0, kv_rows = 0;
    busy(Activity::attention, seconds_of([&] {
           const int32_t margin = costs_.profile.sm_margin;
           CallTime time(costs_.kernel, pass, costs_.shape, call.heads.size(),
                         margin > 0 ? costs_.machine.sms - margin : 0);
           for (int32_t i = 0; i < call.segments; ++i) {
             const Segment& segment = program_.segments[call.first_segment + i];
             const int64_t times = segment.summed ? 1 : segment.count;
             q_rows += times * segment.q_rows;
             kv_rows += times * segment.kv_rows;
             time.add(attention_segment(segment));
           }
           return costs_.machine.kernel_launch_seconds + time.seconds();
         }),
         launches * profile.launch_host_seconds);
    if (measured_.empty()) {
      const double bytes = copied_bytes(call, pass, q_rows, kv_rows);
      const double copies = std::max(launches - 1, bytes > 0 ? 1.0 : 0.0);
      if (copies > 0) busy(Activity::copy, copy_seconds(bytes, copies));
      const double results = result_bytes(call, pass, q_rows, kv_rows);
      if (results > 0) {
        busy(Activity::merge, copy_seconds(results, 1), profile.launch_host_seconds);
      }
    }
    written_[call.out] = {tasks()};
    segments_of_[call.out] = call.segments;
    if (call.dkv >= 0) written_[call.dkv] = {tasks()};
  }

  // Read and written, of the copies that the profile makes around each call.
  double copied_bytes(const Call& call, KernelPass pass, int64_t q_rows, int64_t kv_rows) const {
    const Profile& profile = costs_.profile;
    const bool forward = pass == KernelPass::forward;
    const AttentionShape& shape = costs_.shape;
    const int32_t kv_heads = kv_heads_of(call.heads, shape).size();
    const auto row_bytes = [&](int32_t heads, int32_t width) {
      return static_cast<double>(int64_t{heads} * width * cpbench::bytes_of(shape.dtype));
    };
    return 2 * (forward ? profile.forward_query_copies : profile.backward_query_copies) *
               static_cast<double>(q_rows) * row_bytes(call.heads.size(), shape.value_head_dim) +
           2 * (forward ? profile.forward_key_copies : profile.backward_key_copies) *
               static_cast<double>(kv_rows) *
               row_bytes(kv_heads, shape.head_dim + shape.value_head_dim);
  }

  // Read and written when the results of a library are copied or added to fp32.
  double result_bytes(const Call& call, KernelPass pass, int64_t q_rows, int64_t kv_rows) const {
    if (!costs_.profile.library_results) return 0;
    const AttentionShape& shape = costs_.shape;
    const auto from = static_cast<double>(cpbench::bytes_of(shape.dtype));
    const auto to = static_cast<double>(cpbench::bytes_of(accumulation_dtype(shape.dtype)));
    const auto elements = [](int64_t rows, int32_t heads, int32_t width) {
      return static_cast<double>(rows) * heads * width;
    };
    if (pass == KernelPass::forward) {
      const bool partial = program_.buffers[call.out].elements == ElementClass::accumulation;
      return partial ? (from + to) * elements(q_rows, call.heads.size(), shape.value_head_dim) : 0;
    }
    const int32_t kv_heads = kv_heads_of(call.heads, shape).size();
    return (from + 2 * to) * (elements(q_rows, call.heads.size(), shape.head_dim) +
                              elements(kv_rows, kv_heads, shape.head_dim + shape.value_head_dim));
  }

  void price_rows(const RowOp& op) {
    const Profile& profile = costs_.profile;
    if ((op.source >= 0 && is_summed(arrives_by_[op.source])) || is_kept(op)) {
      written_[op.target] = {tasks()};
      return;
    }
    if (is_projection(op)) {
      busy(Activity::layer, projection_seconds(op),
           products_of(op) * costs_.profile.launch_host_seconds);
      written_[op.target] = {tasks(), written_[op.target].pack};
      return;
    }
    const double count = launches(op);
    const double seconds = seconds_of([&] { return copy_seconds(bytes_of(op), count); });
    const double host = count * (profile.copies_by_slices ? profile.slice_host_seconds
                                                          : profile.launch_host_seconds);
    if (sent_in_[op.target] == steps() && !profile.messages_by_rank) {
      // What is read, and what the message already contains.
      int32_t sources = written_[op.target].task;
      if (op.source >= 0) sources = std::max(sources, written_[op.source].task);
      add_pack(seconds, host, sources);
      written_[op.target] = {sources, static_cast<int32_t>(out_.schedule.packs.size())};
      return;
    }
    busy(op.mode == RowMode::accumulate ? Activity::merge : Activity::copy, seconds, host);
    written_[op.target] = {tasks()};
  }

  bool is_projection(const RowOp& op) const {
    return op.source >= 0 &&
           program_.buffers[op.source].latent != program_.buffers[op.target].latent;
  }

  // Matrix products: one for K and V, two for gradients.
  double products_of(const RowOp& op) const {
    return program_.buffers[op.target].latent ? kBackwardLayerOverForward : 1;
  }

  // Bound by FLOPs or by memory.
  double projection_seconds(const RowOp& op) const {
    const ClusterModel& m = costs_.machine;
    const double flops = op.rows * latent_flops_per_token(costs_.shape, op.heads.size());
    return products_of(op) *
           (m.kernel_launch_seconds +
            std::max(flops / (m.cluster.peak_flops_per_second * m.gemm_efficiency),
                     bytes_of(op) / m.achieved_memory_bytes_per_second));
  }

  double launches(const RowOp& op) const {
    const bool merge = op.mode == RowMode::accumulate && op.source >= 0 &&
                       program_.buffers[op.target].tensor == Tensor::o;
    const double each = merge ? costs_.profile.merge_launches : 1;
    if (!costs_.profile.copies_by_slices) return each;
    return each * (merge && costs_.profile.merges_by_segments ? segments_of_[op.source] : op.runs);
  }

  // Bytes that are read and written.
  double bytes_of(const RowOp& op) const {
    const Buffer& target = program_.buffers[op.target];
    const auto share = [&](const Buffer& buffer) {  // bytes of these rows and heads
      const int32_t heads = buffer.latent ? buffer.heads.size() : op.heads.size();
      return static_cast<double>(parts_of(buffer, costs_.shape).bytes) /
             static_cast<double>(std::max<int64_t>(1, buffer.rows)) * heads / buffer.heads.size() *
             op.rows;
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

  double copy_seconds(double bytes, double launches) const {
    const Profile& profile = costs_.profile;
    const double launch =
        profile.slice_seconds > 0 ? profile.slice_seconds : costs_.machine.kernel_launch_seconds;
    return launches * launch +
           bytes / (profile.copy_efficiency * costs_.machine.achieved_memory_bytes_per_second);
  }

  // The library's collective that a message is part of; null if there is none, or if it is
  // simulated as messages.
  LibraryCall* library_call(int32_t tag) {
    const Pass& pass = (tag & 1) == 0 ? costs_.plan.forward : costs_.plan.backward;
    const int32_t number = pass.sends[tag >> 1].collective;  // tags are 2 * send + pass (program.h)
    if (number < 0 || costs_.profile.collectives_as_messages) return nullptr;
    const CollectiveKind kind = pass.collectives[number].kind;
    if (!is_library_call(kind)) return nullptr;
    LibraryCall& call = library_calls_[2 * number + (tag & 1)];
    call.kind = kind;
    return &call;
  }

  // Whether this is the first message of a collective of that kind.
  static bool begins(LibraryCall* call, CollectiveKind kind) {
    return call != nullptr && call->kind == kind && !std::exchange(call->begun, true);
  }
  // The library itself adds up what a reduce-scatter brings: the first arrival contains all others.
  static bool is_summed(LibraryCall* call) {
    return call != nullptr && call->kind == CollectiveKind::reduce_scatter &&
           std::exchange(call->added, true);
  }

  // Whether it gathers operands for the backward pass that the forward pass already gathered.
  bool is_kept(const RowOp& op) const {
    const Tensor tensor = program_.buffers[op.target].tensor;
    if (is_projection(op)) return false;
    return costs_.profile.operands_kept && step_->pass == 1 && sent_in_[op.target] != steps() &&
           (tensor == Tensor::q || tensor == Tensor::kv);
  }

  // For the layout of all tokens; the buffer has a rank's part of them.
  double layout_seconds(int32_t buffer) const {
    Buffer whole = program_.buffers[buffer];
    whole.rows = costs_.plan.tokens;
    const auto bytes = static_cast<double>(parts_of(whole, costs_.shape).bytes);
    const Profile& profile = costs_.profile;
    const bool as_forward = step_->pass == 0 || profile.backward_layout_passes < 0;
    return copy_seconds(
        2 * (as_forward ? profile.layout_passes : profile.backward_layout_passes) * bytes, 0);
  }
  void lay_out_after(int32_t buffer) {
    const double seconds = layout_seconds(buffer);
    if (seconds > 0) busy(Activity::copy, seconds, costs_.profile.launch_host_seconds);
  }
  void lay_out_before(int32_t buffer) {
    const double seconds = layout_seconds(buffer);
    if (seconds <= 0) return;
    add_pack(seconds, costs_.profile.launch_host_seconds, written_[buffer].task);
    written_[buffer].pack = static_cast<int32_t>(out_.schedule.packs.size());
  }
  void add_pack(double seconds, double host_seconds, int32_t after_task) {
    out_.schedule.packs.push_back({.seconds = seconds,
                                   .host_seconds = host_seconds,
                                   .after_task = after_task,
                                   .step = step_->step,
                                   .pass = static_cast<uint8_t>(step_->pass)});
  }

  const RankProgram& program_;
  const Costs& costs_;
  std::span<const double> measured_;  // by operation
  ptrdiff_t op_ = 0;
  PricedRank out_;
  std::vector<Writer> written_;   // by buffer
  std::vector<int32_t> sent_in_;  // by buffer: the number of steps when it was sent; 0: never
  std::map<int32_t, LibraryCall> library_calls_;  // by 2 * collective + pass
  std::vector<LibraryCall*> arrives_by_;          // by buffer; null if not by a collective
  std::vector<int32_t> segments_of_;              // by buffer: segments of the call that wrote it
  size_t unsent_pack_ = 0;
  const ProgramStep* step_ = nullptr;
  int32_t pass_ = 0;
  int32_t last_step_ = 0;
};

}  // namespace

Detail priced_detail(const KernelModel& kernel, const Profile& profile) {
  if (profile.copies_by_slices) return Detail::full;
  return {.is_outline = true, .few_rows = few_tokens(kernel)};
}

PricedRank price(const RankProgram& program, Passes passes, const Costs& costs,
                 std::span<const double> measured) {
  return Pricer(program, costs, measured).price(passes);
}

}  // namespace cpbench
