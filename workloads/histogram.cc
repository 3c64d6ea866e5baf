#include "workloads/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/plan/errors.h"
#include "harness/presets/toml_file.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

const std::vector<TomlKey<LengthHistogram>>& histogram_keys() {
  using H = LengthHistogram;
  static const std::vector<TomlKey<H>> keys = {
      {"title", [](H& h) -> std::string& { return h.title; }, true},
      {"description", [](H& h) -> std::string& { return h.description; }, true},
      {"source", [](H& h) -> std::string& { return h.source; }, true},
      {"licence", [](H& h) -> std::string& { return h.licence; }, true},
      {"tokenizer", [](H& h) -> std::string& { return h.tokenizer; }, true},
      {"cautions", [](H& h) -> std::string& { return h.cautions; }, true},
      {"documents", [](H& h) -> int64_t& { return h.documents; }},
      {"published_mean", [](H& h) -> double& { return h.published_mean; }},
  };
  return keys;
}

constexpr double kSteepest = 100;                   // exponent of a bin
constexpr int64_t kMostCounted = int64_t{1} << 53;  // doubles count exactly up to this

[[noreturn]] void bad(const std::string& place, const std::string& what) {
  throw UserError(place + ": " + what);
}

HistogramBin bin_of(const std::string& place, size_t index, const toml::node& node) {
  const toml::array* row = node.as_array();
  auto number = [&](size_t i) { return (*row)[i].value<int64_t>(); };
  if (!row || row->size() < 3 || row->size() > 4 || !number(0) || !number(1) || !number(2)) {
    bad(place,
        fmt::format("bin {} must be [low, high, count] or [low, high, count, exponent]", index));
  }
  HistogramBin bin{{*number(0), *number(1), 0}, *number(2)};
  if (row->size() == 4) {
    auto exponent = (*row)[3].value<double>();
    if (!exponent || !(std::abs(*exponent) <= kSteepest)) {
      bad(place, fmt::format("bin {}: the exponent must be a number from {} to {}", index,
                             -kSteepest, kSteepest));
    }
    bin.law.exponent = *exponent;
  }
  return bin;
}

}  // namespace

int64_t LengthHistogram::quantile(double u) const {
  double position = u * static_cast<double>(ends.back());
  auto end = std::upper_bound(ends.begin(), ends.end(), static_cast<int64_t>(position));
  const HistogramBin& bin = bins[end - ends.begin()];
  double start = static_cast<double>(*end - bin.count);
  return power_law_quantile(bin.law, (position - start) / static_cast<double>(bin.count));
}

double LengthHistogram::mean() const {
  constexpr int kPoints = 64;
  double sum = 0;
  for (const HistogramBin& bin : bins) {
    double points = 0;
    for (int i = 0; i < kPoints; ++i) {
      points += static_cast<double>(power_law_quantile(bin.law, (i + 0.5) / kPoints));
    }
    sum += points / kPoints * static_cast<double>(bin.count);
  }
  return sum / static_cast<double>(ends.back());
}

LengthHistogram parse_histogram(const Preset& preset) {
  const std::string& place = preset.place;
  const toml::table table = parse_toml(place, preset.text);
  std::vector<std::string> known = names_of(histogram_keys());
  known.insert(known.end(), {"published", "bins"});
  refuse_unknown_keys(table, place, known);
  LengthHistogram set;
  set.name = preset.name;
  read_keys(table, place, histogram_keys(), set);
  if (const toml::array* rows = table["published"].as_array()) {
    for (const toml::node& node : *rows) {
      const toml::array* pair = node.as_array();
      if (!pair || pair->size() != 2) bad(place, "'published' must be rows of [share, length]");
      set.published.emplace_back((*pair)[0].value_or(0.0), (*pair)[1].value_or(int64_t{0}));
    }
  }
  const toml::array* rows = table["bins"].as_array();
  if (!rows || rows->empty()) bad(place, "'bins' must have at least one row");
  int64_t total = 0;
  int64_t previous = 0;
  for (size_t i = 0; i < rows->size(); ++i) {
    HistogramBin bin = bin_of(place, i, (*rows)[i]);
    if (bin.law.low <= previous || bin.law.high < bin.law.low || bin.law.high > kLongestDocument ||
        bin.count < 1 || bin.count > kMostCounted - total) {
      bad(place,
          fmt::format("bin {} [{}, {}, {}]: lengths must ascend from 1 to {} without overlap, and "
                      "counts must be at least 1 and sum to at most {}",
                      i, bin.law.low, bin.law.high, bin.count, kLongestDocument, kMostCounted));
    }
    previous = bin.law.high;
    total += bin.count;
    set.bins.push_back(bin);
    set.ends.push_back(total);
  }
  return set;
}

}  // namespace cpbench
