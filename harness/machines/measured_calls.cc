#include "harness/machines/measured_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/presets/line_reader.h"
#include "harness/presets/split_text.h"

namespace cpbench {
namespace {

// Attention kernels reach 30 to 80% of the peak in their longest calls. If the best call is a
// hundred times below that, the times are not in milliseconds.
constexpr double kLeastShareOfPeak = 0.003;
constexpr int64_t kMostTokens = int64_t{1} << 31;
constexpr int64_t kMostBytes = 64 << 20;

const std::vector<std::string> kColumns = {"segments",
                                           "q_tokens",
                                           "kv_tokens",
                                           "batch",
                                           "tokens",
                                           "mask",
                                           "q_heads",
                                           "kv_heads",
                                           "head_dim",
                                           "milliseconds",
                                           "forward_milliseconds",
                                           "backward_milliseconds",
                                           "forward_tflops",
                                           "backward_tflops"};

// A CSV file: its columns by name, and the fields of the current line.
class CsvReader {
 public:
  explicit CsvReader(const std::string& path)
      : path_(path), lines_("file of measured calls", path, kMostBytes) {
    std::string line;
    if (!next_line(line)) throw UserError(path + ": the file is empty; it must have a header");
    for (const std::string& name : split_text(line, ',')) {
      if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end()) refuse_column(name);
      if (!columns_.emplace(name, columns_.size()).second) {
        lines_.fail(fmt::format("column '{}' appears twice", shown(name)));
      }
    }
  }

  bool next() {
    std::string line;
    if (!next_line(line)) return false;
    fields_ = split_text(line, ',');
    if (fields_.size() != columns_.size()) {
      lines_.fail(fmt::format("there are {} fields, but the header has {}", fields_.size(),
                              columns_.size()));
    }
    return true;
  }

  bool has(const std::string& column) const { return columns_.contains(column); }
  void require(const std::string& column) const {
    if (!has(column)) throw UserError(fmt::format("{}: column '{}' is missing", path_, column));
  }
  const std::string& text(const std::string& column) const { return fields_[columns_.at(column)]; }

  // Whole numbers from 1, joined by +.
  std::vector<int64_t> counts(const std::string& column) const {
    std::vector<int64_t> values;
    for (const std::string& word : split_text(text(column), '+')) {
      const auto value = number_of<int64_t>(word);
      if (!value || *value < 1 || *value > kMostTokens) {
        fail(column, "must be whole numbers from 1 to 2^31, joined by +");
      }
      values.push_back(*value);
    }
    return values;
  }
  int32_t count(const std::string& column) const {
    const std::vector<int64_t> values = counts(column);
    if (values.size() != 1 || values[0] >= kMostTokens) fail(column, "must be one whole number");
    return static_cast<int32_t>(values[0]);
  }
  double milliseconds(const std::string& column) const {
    const auto value = number_of<double>(text(column));
    // NaN and infinity are refused as well.
    if (!value || !(*value > 0 && *value < 1e9)) {
      fail(column, "must be a time in milliseconds, more than 0");
    }
    return *value;
  }

  [[noreturn]] void fail(const std::string& column, const std::string& what) const {
    lines_.fail(fmt::format("{} is '{}'; {}", column, shown(text(column)), what));
  }
  std::string place() const { return lines_.place(); }

 private:
  bool next_line(std::string& line) {
    while (lines_.next(line)) {
      if (line.front() != '#') return true;
    }
    return false;
  }
  [[noreturn]] void refuse_column(const std::string& name) const {
    if (name.ends_with("seconds")) {
      lines_.fail(
          fmt::format("unknown column '{}'; times must be 'forward_milliseconds' or "
                      "'backward_milliseconds'",
                      shown(name)));
    }
    lines_.fail(unknown_name("column", name, kColumns));
  }

  std::string path_;
  LineReader lines_;
  std::map<std::string, size_t> columns_;
  std::vector<std::string> fields_;
};

std::vector<AttentionSegment> segments_of(const CsvReader& row) {
  bool causal = true;
  if (row.has("mask")) {
    causal = row.text("mask") == "causal";
    if (!causal && row.text("mask") != "full") row.fail("mask", "must be causal or full");
  }
  const bool square = row.has("batch");
  const auto number = row.counts(square ? "batch" : "segments");
  const auto q = row.counts(square ? "tokens" : "q_tokens");
  const auto kv = row.counts(square ? "tokens" : "kv_tokens");
  if (q.size() != number.size()) {
    row.fail(
        square ? "tokens" : "q_tokens",
        fmt::format("must have as many kinds of segments as the column before, {}", number.size()));
  }
  if (kv.size() != q.size()) {
    row.fail("kv_tokens",
             fmt::format("must have as many kinds of segments as q_tokens, {}", q.size()));
  }
  std::vector<AttentionSegment> segments;
  for (size_t i = 0; i < q.size(); ++i) {
    segments.push_back(
        {.q_tokens = q[i], .kv_tokens = kv[i], .causal = causal, .count = number[i]});
  }
  return segments;
}

double pairs_of(const AttentionSegment& s) {
  const auto q = static_cast<double>(s.q_tokens), kv = static_cast<double>(s.kv_tokens);
  const double seeing = std::min(q, kv);  // number of queries that see a key
  const double each = s.causal ? kv - (seeing - 1) / 2 : kv;
  return static_cast<double>(s.count) * each * (s.causal ? seeing : q);
}

// FLOP/s of a call: 4 D for each pair and head forward, 2.5 times that backward.
double rate_of(const KernelSample& sample, int32_t head_dim, bool backward) {
  double pairs = 0;
  for (const AttentionSegment& s : sample.segments) pairs += pairs_of(s);
  return pairs * 4 * head_dim * sample.query_heads * (backward ? 2.5 : 1) / sample.seconds;
}

void read_file(const std::string& path, double peak, MeasuredCalls& calls, double& best_share) {
  CsvReader row(path);
  if (!row.has("batch")) {
    for (const char* column : {"segments", "q_tokens", "kv_tokens"}) row.require(column);
  } else {
    row.require("tokens");
  }
  row.require("q_heads");
  row.require("head_dim");
  const std::string forward = row.has("milliseconds") ? "milliseconds" : "forward_milliseconds";
  if (!row.has(forward) && !row.has("backward_milliseconds")) row.require("forward_milliseconds");
  while (row.next()) {
    KernelSample sample{segments_of(row), row.count("q_heads")};
    const int32_t head_dim = row.count("head_dim");
    if (calls.head_dim == 0) calls.head_dim = head_dim;
    if (head_dim != calls.head_dim) {
      row.fail("head_dim",
               fmt::format("must be {} as in the rows before: a model has one head size",
                           calls.head_dim));
    }
    for (const std::string& column : {forward, std::string("backward_milliseconds")}) {
      if (!row.has(column) || row.text(column).empty()) continue;
      const bool backward = column != forward;
      sample.seconds = 1e-3 * row.milliseconds(column);
      const double rate = rate_of(sample, head_dim, backward);
      if (peak > 0 && rate > peak) {
        row.fail(column,
                 fmt::format("must be in milliseconds: this would be {:.0f} TFLOP/s, and the "
                             "peak is {:.0f}",
                             rate * 1e-12, peak * 1e-12));
      }
      best_share = std::max(best_share, peak > 0 ? rate / peak : 1);
      (backward ? calls.backward : calls.forward).push_back(sample);
    }
  }
}

template <typename Field>
std::string joined(const KernelSample& call, const Field& field) {
  std::vector<int64_t> values;
  for (const AttentionSegment& segment : call.segments) values.push_back(segment.*field);
  return fmt::format("{}", fmt::join(values, "+"));
}

}  // namespace

MeasuredCalls read_measured_calls(const std::vector<std::string>& paths, double peak) {
  MeasuredCalls calls;
  double best_share = 0;
  for (const std::string& path : paths) read_file(path, peak, calls, best_share);
  if (calls.forward.empty() && calls.backward.empty()) {
    throw UserError(paths.front() + ": the file has no measured calls");
  }
  if (best_share < kLeastShareOfPeak) {
    throw UserError(
        fmt::format("{}: the fastest call reaches only {:.2g} of the peak; times must be in "
                    "milliseconds",
                    paths.front(), best_share));
  }
  return calls;
}

std::string measured_calls_csv(const MeasuredCalls& calls) {
  std::string text =
      "segments,q_tokens,kv_tokens,mask,q_heads,head_dim,forward_milliseconds,"
      "backward_milliseconds\n";
  for (size_t i = 0; i < calls.forward.size(); ++i) {
    const KernelSample& call = calls.forward[i];
    text += fmt::format("{},{},{},{},{},{},{:.6g},{:.6g}\n", joined(call, &AttentionSegment::count),
                        joined(call, &AttentionSegment::q_tokens),
                        joined(call, &AttentionSegment::kv_tokens),
                        call.segments.front().causal ? "causal" : "full", call.query_heads,
                        calls.head_dim, 1e3 * call.seconds, 1e3 * calls.backward[i].seconds);
  }
  return text;
}

}  // namespace cpbench
