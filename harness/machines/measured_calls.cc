#include "harness/machines/measured_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/line_reader.h"

namespace cpbench {
namespace {

// Attention kernels reach 30 to 80% of the peak in their longest calls. Where the best call is a
// hundred times below, times were not in milliseconds.
constexpr double kLeastShareOfPeak = 0.003;

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

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0;;) {
    const size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

// One file: its columns by name, and the fields of the current line.
class CsvReader {
 public:
  explicit CsvReader(const std::string& path) : path_(path), lines_(path) {
    std::string line;
    if (!next_line(line)) throw UserError(path + ": the file is empty; it wants a header");
    for (const std::string& name : split(line, ',')) {
      if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end()) refuse_column(name);
      if (!columns_.emplace(name, columns_.size()).second) {
        lines_.fail(fmt::format("column '{}' is there twice", name));
      }
    }
  }

  bool next() {
    std::string line;
    if (!next_line(line)) return false;
    fields_ = split(line, ',');
    if (fields_.size() != columns_.size()) {
      lines_.fail(fmt::format("{} fields, and the header has {}", fields_.size(), columns_.size()));
    }
    return true;
  }

  bool has(const std::string& column) const { return columns_.contains(column); }
  void want(const std::string& column) const {
    if (!has(column)) throw UserError(fmt::format("{}: column '{}' is missing", path_, column));
  }
  const std::string& text(const std::string& column) const { return fields_[columns_.at(column)]; }

  // Whole numbers from 1, joined by +.
  std::vector<int64_t> counts(const std::string& column) const {
    std::vector<int64_t> values;
    for (const std::string& word : split(text(column), '+')) {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size() || value < 1 ||
          value > (int64_t{1} << 31)) {
        fail(column, "wants whole numbers from 1 to 2^31, joined by +");
      }
      values.push_back(value);
    }
    return values;
  }
  int32_t count(const std::string& column) const {
    const std::vector<int64_t> values = counts(column);
    if (values.size() != 1 || values[0] >= int64_t{1} << 31) fail(column, "wants one whole number");
    return static_cast<int32_t>(values[0]);
  }
  double milliseconds(const std::string& column) const {
    const std::string& word = text(column);
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    // NaN and infinity are refused as well.
    if (error != std::errc() || end != word.data() + word.size() || !(value > 0 && value < 1e9)) {
      fail(column, "wants a time in milliseconds, more than 0");
    }
    return value;
  }

  [[noreturn]] void fail(const std::string& column, const std::string& what) const {
    lines_.fail(fmt::format("{} = '{}' {}", column, text(column), what));
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
          fmt::format("column '{}': times are 'forward_milliseconds' or "
                      "'backward_milliseconds'",
                      name));
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
    if (!causal && row.text("mask") != "full") row.fail("mask", "wants causal or full");
  }
  const bool square = row.has("batch");
  const auto number = row.counts(square ? "batch" : "segments");
  const auto q = row.counts(square ? "tokens" : "q_tokens");
  const auto kv = row.counts(square ? "tokens" : "kv_tokens");
  if (q.size() != number.size()) {
    row.fail(square ? "tokens" : "q_tokens",
             fmt::format("has {} kinds of segments, and the column before has {}", q.size(),
                         number.size()));
  }
  if (kv.size() != q.size()) {
    row.fail("kv_tokens",
             fmt::format("has {} kinds of segments, and q_tokens has {}", kv.size(), q.size()));
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
  const double seeing = std::min(q, kv);  // queries that see a key
  const double each = s.causal ? kv - (seeing - 1) / 2 : kv;
  return static_cast<double>(s.count) * each * (s.causal ? seeing : q);
}

// FLOP/s of a call: 4 D per pair and head forward, 2.5 times that backward.
double rate_of(const KernelSample& sample, int32_t head_dim, bool backward) {
  double pairs = 0;
  for (const AttentionSegment& s : sample.segments) pairs += pairs_of(s);
  return pairs * 4 * head_dim * sample.query_heads * (backward ? 2.5 : 1) / sample.seconds;
}

void read_file(const std::string& path, double peak, MeasuredCalls& calls, double& best_share) {
  CsvReader row(path);
  if (!row.has("batch")) {
    for (const char* column : {"segments", "q_tokens", "kv_tokens"}) row.want(column);
  } else {
    row.want("tokens");
  }
  row.want("q_heads");
  row.want("head_dim");
  const std::string forward = row.has("milliseconds") ? "milliseconds" : "forward_milliseconds";
  if (!row.has(forward) && !row.has("backward_milliseconds")) row.want("forward_milliseconds");
  while (row.next()) {
    KernelSample sample{segments_of(row), row.count("q_heads")};
    const int32_t head_dim = row.count("head_dim");
    if (calls.head_dim == 0) calls.head_dim = head_dim;
    if (head_dim != calls.head_dim) {
      row.fail("head_dim", fmt::format("and an earlier row has {}; a model is of one head size",
                                       calls.head_dim));
    }
    for (const std::string& column : {forward, std::string("backward_milliseconds")}) {
      if (!row.has(column) || row.text(column).empty()) continue;
      const bool backward = column != forward;
      sample.seconds = 1e-3 * row.milliseconds(column);
      const double rate = rate_of(sample, head_dim, backward);
      if (peak > 0 && rate > peak) {
        row.fail(column, fmt::format("is {:.0f} TFLOP/s, and the peak is {:.0f}: it wants "
                                     "milliseconds",
                                     rate * 1e-12, peak * 1e-12));
      }
      best_share = std::max(best_share, peak > 0 ? rate / peak : 1);
      (backward ? calls.backward : calls.forward).push_back(sample);
    }
  }
}

}  // namespace

MeasuredCalls read_measured_calls(const std::vector<std::string>& paths, double peak) {
  MeasuredCalls calls;
  double best_share = 0;
  for (const std::string& path : paths) read_file(path, peak, calls, best_share);
  if (calls.forward.empty() && calls.backward.empty()) {
    throw UserError(paths.front() + ": no measured call");
  }
  if (best_share < kLeastShareOfPeak) {
    throw UserError(
        fmt::format("{}: the fastest call reaches {:.2g} of the peak: times want "
                    "milliseconds",
                    paths.front(), best_share));
  }
  return calls;
}

namespace {

template <typename Field>
std::string joined(const KernelSample& call, const Field& field) {
  std::vector<int64_t> values;
  for (const AttentionSegment& segment : call.segments) values.push_back(segment.*field);
  return fmt::format("{}", fmt::join(values, "+"));
}

}  // namespace

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
