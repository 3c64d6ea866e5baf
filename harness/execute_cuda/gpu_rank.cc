#include "harness/execute_cuda/gpu_rank.h"

#include <nvtx3/nvToolsExt.h>

#include <chrono>
#include <thread>

namespace cpbench {
namespace {

constexpr std::chrono::microseconds kPause{20};
// What is exchanged where exchanges should take no time: one element, because NCCL may skip calls
// without any, and then no rank would wait for another. The latency remains.
constexpr int64_t kFewBytes = 8;
constexpr int kPausesPerCheck = 50;  // for errors of the transport's library

}  // namespace

// An iteration as one CUDA graph.
class GpuRank::Graph {
 public:
  Graph(GpuRank& rank) {
    check_cuda(cudaStreamBeginCapture(rank.compute_stream_, cudaStreamCaptureModeThreadLocal),
               "cudaStreamBeginCapture");
    rank.issue_items(false, Portion::whole);
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(rank.compute_stream_, &graph), "cudaStreamEndCapture");
    // With the priorities of the streams from which the nodes were captured.
    const cudaError_t code =
        cudaGraphInstantiate(&executable_, graph, cudaGraphInstantiateFlagUseNodePriority);
    static_cast<void>(cudaGraphDestroy(graph));
    check_cuda(code, "cudaGraphInstantiate");
  }
  ~Graph() { static_cast<void>(cudaGraphExecDestroy(executable_)); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(cudaStream_t stream) const {
    check_cuda(cudaGraphLaunch(executable_, stream), "cudaGraphLaunch");
  }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

GpuRank::GpuRank(const Program& program, int32_t rank, const Exchanges& exchanges,
                 const GpuKernel& kernel, DeviceTransport& transport, ProgressListener& listener)
    : mine_(program.ranks[rank]),
      last_pass_(program.passes == Passes::both ? 1 : 0),
      rank_(rank),
      transport_(transport),
      listener_(listener),
      order_(order_for_streams(mine_, exchanges)),
      program_(mine_, program.shape, kernel, [&] { listener.operation_started(rank, 0, 0, -1); }),
      marks_(order_.items.size()) {
  const auto prepared = [&](const std::vector<int32_t>& messages) {
    std::vector<DeviceMessage> all;
    for (int32_t i : messages) {
      const Message& m = mine_.messages[i];
      all.push_back({program_.buffer(m.buffer).data, m.bytes, m.peer, m.tag});
    }
    return all;
  };
  for (const RankExchange& exchange : order_.exchanges) {
    Messages& mine = messages_.emplace_back();
    mine.sends = prepared(exchange.sends);
    mine.receives = prepared(exchange.receives);
    for (int32_t i : exchange.collectives) mine.collectives.push_back(collective_at(i));
    if (!mine.collectives.empty()) mine.waiting_for = kEveryRank;
    if (!mine.receives.empty()) mine.waiting_for = mine.receives.front().peer;
  }
  few_bytes_ = messages_;
  for (Messages& messages : few_bytes_) {
    const auto shorten = [](auto& each) { each.bytes = std::min(each.bytes, kFewBytes); };
    std::ranges::for_each(messages.sends, shorten);
    std::ranges::for_each(messages.receives, shorten);
    std::ranges::for_each(messages.collectives, shorten);
  }
  for (const ProgramStep& step : mine_.steps) {
    step_names_.push_back(step_text("rank " + std::to_string(rank), step.pass, step.step));
  }
  for (size_t i = 0; i < order_.items.size(); ++i) {
    const StreamItem& item = order_.items[i];
    const bool needed = item.awaited || item.exchanges;
    done_.push_back(needed ? std::make_unique<CudaEvent>() : nullptr);
    if (item.exchanges) messages_[item.index].item = static_cast<int32_t>(i);
  }
  if (program_.has_layer()) place_layer();
}

void GpuRank::place_layer() {
  const auto pass_of = [&](const StreamItem& item) { return mine_.steps[item.step].pass; };
  const auto turn = std::ranges::find_if(
      order_.items, [&](const StreamItem& item) { return !item.exchanges && pass_of(item) == 1; });
  turn_ = static_cast<size_t>(turn - order_.items.begin());
  for (size_t i = 0; i < order_.items.size(); ++i) {
    if (pass_of(order_.items[i]) == 1) continue;
    if (i > turn_)
      throw std::logic_error("the forward pass must be issued before the backward pass");
    if (order_.items[i].exchanges) last_exchange_ = static_cast<int32_t>(i);
  }
}

DeviceCollective GpuRank::collective_at(int32_t index) const {
  const CollectiveOp& op = mine_.collectives[index];
  const BoundBuffer& first = program_.buffer(op.first_block);
  return {.kind = op.kind,
          .source = op.source < 0 ? nullptr : program_.buffer(op.source).data,
          .blocks = first.data,
          .bytes = op.bytes,
          .elements = first.parts.part[0].dtype};
}

GpuRank::~GpuRank() {  // the streams must be idle before memory is freed
  gate_.open();
  for (cudaStream_t stream :
       std::initializer_list<cudaStream_t>{compute_stream_, exchange_stream_}) {
    static_cast<void>(cudaStreamSynchronize(stream));
  }
}

void GpuRank::warm_up() {
  gate_.close(compute_stream_);
  gate_.open();
  program_.warm_up(compute_stream_);
  compute_stream_.synchronize();
}

RankLinks GpuRank::links() const {
  RankLinks links;
  for (const Messages& messages : messages_) {
    for (const DeviceMessage& send : messages.sends) links.sends_to.insert(send.peer);
    for (const DeviceMessage& receive : messages.receives) links.receives_from.insert(receive.peer);
    for (const DeviceCollective& call : messages.collectives) {
      const bool known = std::ranges::any_of(links.collectives, [&](const DeviceCollective& other) {
        return other.kind == call.kind && other.bytes == call.bytes;
      });
      if (!known) links.collectives.push_back(call);
    }
  }
  return links;
}

void GpuRank::fill_inputs(uint64_t seed) {
  program_.fill_inputs(seed, compute_stream_);
  compute_stream_.synchronize();
}

void GpuRank::begin(std::span<std::byte> flush) {
  if (!flush.empty()) {
    check_cuda(cudaMemsetAsync(flush.data(), 0, flush.size(), compute_stream_), "cudaMemsetAsync");
  }
  gate_.close(compute_stream_);
  transport_.barrier(rank_, compute_stream_);
  start_.record(compute_stream_);
  exchanged_ = messages_.size();  // only `issue` tracks exchanges
}

void GpuRank::issue(Portion portion) {
  issue_items(false, portion);
  end_issue();
  exchanged_ = 0;
  if (!messages_.empty())
    report_position(order_.items[messages_[0].item], messages_[0].waiting_for);
}

void GpuRank::issue_traced(Portion portion) {
  issue_items(true, portion);
  end_issue();
}

void GpuRank::end_issue() {
  end_.record(compute_stream_);
  gate_.open();
}

void GpuRank::capture() { graph_ = std::make_unique<Graph>(*this); }

void GpuRank::issue_captured() {
  graph_->launch(compute_stream_);
  end_issue();
}

void GpuRank::run_layer(int32_t pass, Side side, bool traced) {
  const Marks& marks = layer_marks_[pass][side];
  if (traced) marks.start.record(compute_stream_);
  program_.run_layer(pass, side == before, compute_stream_);
  if (traced) marks.end.record(compute_stream_);
}

void GpuRank::turn(bool traced) {
  // What has arrived may be a part of O.
  if (last_exchange_ >= 0) done_[last_exchange_]->make_wait(compute_stream_);
  run_layer(0, after, traced);
  run_layer(1, before, traced);
}

void GpuRank::issue_items(bool traced, Portion portion) {
  const bool layer = program_.has_layer() && portion != Portion::exchanges;
  const bool turns = layer && last_pass_ == 1;
  if (layer) run_layer(0, before, traced);
  fork_.record(compute_stream_);  // exchanges send what the layer has computed
  fork_.make_wait(exchange_stream_);
  for (size_t i = 0; i < order_.items.size(); ++i) {
    if (i == kMostGated) gate_.open();  // the host is ahead by as many operations from here on
    if (turns && i == turn_) turn(traced);
    const StreamItem& item = order_.items[i];
    const cudaStream_t stream = item.exchanges ? exchange_stream_ : compute_stream_;
    name_step(item);
    if (item.wait >= 0) done_[item.wait]->make_wait(stream);
    if (traced) marks_[i].start.record(stream);
    run(item, portion, stream);
    if (traced) marks_[i].end.record(stream);
    if (done_[i]) done_[i]->record(stream);
  }
  if (named_step_ >= 0) nvtxRangePop();
  named_step_ = -1;
  if (turns && turn_ == order_.items.size()) turn(traced);
  join_.record(exchange_stream_);
  join_.make_wait(compute_stream_);
  if (layer) run_layer(last_pass_, after, traced);
}

// Opens a profiler (Nsight) range for each step.
void GpuRank::name_step(const StreamItem& item) {
  if (item.step == named_step_) return;
  if (named_step_ >= 0) nvtxRangePop();
  nvtxRangePushA(step_names_[item.step].c_str());
  named_step_ = item.step;
}

void GpuRank::run(const StreamItem& item, Portion portion, cudaStream_t stream) {
  if (item.exchanges) return exchange(item, portion, stream);
  if (portion != Portion::exchanges) program_.run(mine_.ops[item.index], stream);
}

void GpuRank::exchange(const StreamItem& item, Portion portion, cudaStream_t stream) {
  const Messages& messages = (portion == Portion::work ? few_bytes_ : messages_)[item.index];
  report_position(item, messages.waiting_for);
  if (!messages.sends.empty() || !messages.receives.empty()) {
    transport_.exchange(rank_, messages.sends, messages.receives, stream);
  }
  for (const DeviceCollective& call : messages.collectives) {
    transport_.collective(rank_, call, stream);
  }
}

void GpuRank::report_position(const StreamItem& item, int32_t waiting_for) {
  const ProgramStep& step = mine_.steps[item.step];
  listener_.operation_started(rank_, step.pass, step.step, waiting_for);
}

void GpuRank::track_exchanges() {
  const size_t before = exchanged_;
  while (exchanged_ < messages_.size() && done_[messages_[exchanged_].item]->done()) ++exchanged_;
  if (exchanged_ == before) return;
  const Messages& next = messages_[std::min(exchanged_, messages_.size() - 1)];
  report_position(order_.items[next.item], exchanged_ < messages_.size() ? next.waiting_for : -1);
}

void GpuRank::finish(const std::function<bool()>& ended) {
  for (int pauses = 0; !end_.done(); ++pauses) {
    track_exchanges();
    if (ended()) throw TransportClosed();
    if (pauses % kPausesPerCheck == 0) transport_.check(rank_);
    std::this_thread::sleep_for(kPause);
  }
}

Event GpuRank::event_of(const StreamItem& item, Activity activity, double start, double end) const {
  const ProgramStep& step = mine_.steps[item.step];
  return {rank_, step.pass, step.step, activity, start, end};
}

GpuTrace GpuRank::trace() const {
  GpuTrace trace;
  double free_since = 0;
  const auto add_work = [&](Event event, bool waited) {
    if (waited) {
      trace.events.push_back(
          {rank_, event.pass, event.step, Activity::wait, free_since, event.start_seconds});
    } else {
      trace.overhead_seconds += event.start_seconds - free_since;
    }
    free_since = event.end_seconds;
    trace.events.push_back(event);
  };
  int32_t step = 0;
  const auto add_layer = [&](int32_t pass, Side side, bool waited) {
    const Marks& marks = layer_marks_[pass][side];
    add_work({rank_, pass, step, Activity::layer, marks.start.seconds_since(start_),
              marks.end.seconds_since(start_)},
             waited);
  };
  const auto add_turn = [&] {
    add_layer(0, after, last_exchange_ >= 0);
    step = 0;
    add_layer(1, before, false);
  };
  const bool turns = program_.has_layer() && last_pass_ == 1;
  if (program_.has_layer()) add_layer(0, before, false);
  for (size_t i = 0; i < order_.items.size(); ++i) {
    if (turns && i == turn_) add_turn();
    const StreamItem& item = order_.items[i];
    const double start = marks_[i].start.seconds_since(start_);
    const double end = marks_[i].end.seconds_since(start_);
    if (item.exchanges) {
      trace.events.push_back(event_of(item, Activity::transfer, start, end));
      continue;
    }
    const Activity activity = activity_of(mine_, mine_.ops[item.index]);
    if (activity == Activity::attention) trace.attention_seconds += end - start;
    add_work(event_of(item, activity, start, end), item.wait >= 0);
    step = mine_.steps[item.step].step;
  }
  if (turns && turn_ == order_.items.size()) add_turn();
  const double end = seconds();
  if (program_.has_layer()) {
    add_layer(last_pass_, after, true);
  } else if (!order_.items.empty() && end > free_since) {  // for the last exchanges
    trace.events.push_back(event_of(order_.items.back(), Activity::wait, free_since, end));
  }
  return trace;
}

}  // namespace cpbench
