#include "workloads/histogram.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

[[noreturn]] void bad(const std::string& place, const std::string& what) {
  throw UserError(place + ": " + what);
}

std::string text_of(const toml::table& table, const std::string& place, const char* key) {
  auto value = table[key].value<std::string>();
  if (!value || value->empty())
    bad(place, fmt::format("'{}' must be a string that is not empty", key));
  return *value;
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
    if (!exponent) bad(place, fmt::format("bin {}: the exponent must be a number", index));
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
  LengthHistogram set;
  set.name = preset.name;
  set.title = text_of(table, place, "title");
  set.description = text_of(table, place, "description");
  set.source = text_of(table, place, "source");
  set.licence = text_of(table, place, "licence");
  set.tokenizer = text_of(table, place, "tokenizer");
  set.cautions = text_of(table, place, "cautions");
  set.documents = table["documents"].value_or(int64_t{0});
  set.published_mean = table["published_mean"].value_or(0.0);
  if (const toml::array* rows = table["published"].as_array()) {
    for (const toml::node& node : *rows) {
      const toml::array* pair = node.as_array();
      if (!pair || pair->size() != 2) bad(place, "'published' must be rows of [share, length]");
      set.published.emplace_back((*pair)[0].value_or(0.0), (*pair)[1].value_or(int64_t{0}));
    }
  }
  const toml::array* rows = table["bins"].as_array();
  if (!rows || rows->empty()) bad(place, "'bins' needs at least one row");
  int64_t total = 0;
  int64_t previous = 0;
  for (size_t i = 0; i < rows->size(); ++i) {
    HistogramBin bin = bin_of(place, i, (*rows)[i]);
    if (bin.law.low <= previous || bin.law.high < bin.law.low || bin.count < 1) {
      bad(place,
          fmt::format("bin {} [{}, {}, {}]: lengths ascend from 1 without overlap, counts are "
                      "at least 1",
                      i, bin.law.low, bin.law.high, bin.count));
    }
    previous = bin.law.high;
    total += bin.count;
    set.bins.push_back(bin);
    set.ends.push_back(total);
  }
  return set;
}

}  // namespace cpbench
