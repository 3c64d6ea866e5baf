#include "harness/execute/processes/report_messages.h"

namespace cpbench {
namespace {

// Any tag will do, because all messages of the program have been received.
constexpr int32_t kReportTag = 0;

template <typename T>
void send_all(ProcessGroup& group, const std::vector<T>& values) {
  group.send(group.rank(), 0, kReportTag, std::as_bytes(std::span(values)));
}

template <typename T>
std::vector<T> received(ProcessGroup& group, int32_t from, size_t count) {
  std::vector<T> values(count);
  group.receive(from, 0, kReportTag, std::as_writable_bytes(std::span(values)));
  return values;
}

// Lengths of the vectors that differ between ranks.
struct Counts {
  int64_t iterations = 0, clocks = 0, events = 0, portions = 0, weights = 0;
};

}  // namespace

// The order must be that in which `receive_report` reads.
void send_report(ProcessGroup& group, const RankReport& report) {
  send_all<Counts>(group, {{std::ssize(report.seconds), std::ssize(report.clock_share),
                            std::ssize(report.events), std::ssize(report.portions.work_seconds),
                            std::ssize(report.weight_checks)}});
  for (const auto* values :
       {&report.seconds, &report.attention_seconds, &report.overhead_seconds}) {
    send_all(group, *values);
  }
  send_all(group, report.clock_share);
  send_all(group, report.bytes_sent);
  send_all(group, report.messages);
  send_all(group, report.events);
  send_all<Accuracy>(group, {report.accuracy});
  send_all(group, report.weight_checks);
  send_all<uint64_t>(group, {report.output_hash});
  send_all<int64_t>(group, {report.peak_bytes});
  for (auto times : PortionTimes::members()) send_all(group, report.portions.*times);
}

RankReport receive_report(ProcessGroup& group, int32_t from, int32_t ranks) {
  RankReport report;
  const Counts counts = received<Counts>(group, from, 1).front();
  constexpr int64_t kMost = 1 << 22;
  for (const int64_t count :
       {counts.iterations, counts.clocks, counts.events, counts.portions, counts.weights}) {
    if (count >= 0 && count <= kMost) continue;
    throw std::runtime_error("a report of another process has " + std::to_string(count) +
                             " rows; must have from 0 to " + std::to_string(kMost));
  }
  for (auto* values : {&report.seconds, &report.attention_seconds, &report.overhead_seconds}) {
    *values = received<double>(group, from, counts.iterations);
  }
  report.clock_share = received<double>(group, from, counts.clocks);
  report.bytes_sent = received<int64_t>(group, from, ranks);
  report.messages = received<int64_t>(group, from, ranks);
  report.events = received<Event>(group, from, counts.events);
  report.accuracy = received<Accuracy>(group, from, 1).front();
  report.weight_checks = received<double>(group, from, counts.weights);
  report.output_hash = received<uint64_t>(group, from, 1).front();
  report.peak_bytes = received<int64_t>(group, from, 1).front();
  for (auto times : PortionTimes::members()) {
    report.portions.*times = received<double>(group, from, counts.portions);
  }
  return report;
}

}  // namespace cpbench
