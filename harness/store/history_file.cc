#include "harness/store/history_file.h"

#include <algorithm>
#include <map>

#include "harness/store/atomic_file.h"
#include "harness/store/checksum.h"
#include "harness/store/file_kind.h"
#include "harness/store/hdf5_file.h"
#include "harness/store/safe_read.h"

namespace cpbench {
namespace {

// Texts are attributes of a group, named by numbers; points have the numbers.
struct TextColumn {
  const char* name;
  std::string HistoryPoint::*member;
};
constexpr TextColumn kTexts[] = {{"run_id", &HistoryPoint::run_id},
                                 {"words", &HistoryPoint::words},
                                 {"machine", &HistoryPoint::machine},
                                 {"commit", &HistoryPoint::commit}};
struct TimeColumn {
  const char* name;
  double HistoryPoint::*member;
};
constexpr TimeColumn kTimes[] = {{"seconds", &HistoryPoint::seconds},
                                 {"low", &HistoryPoint::low},
                                 {"high", &HistoryPoint::high}};

std::string texts_group(const TextColumn& column) { return std::string("/texts_") + column.name; }
std::string dataset(const char* column) { return std::string("/points/") + column; }

void write_texts(Hdf5Writer& file, const History& history, const TextColumn& column) {
  std::map<std::string, int64_t> numbers;
  std::vector<int64_t> values;
  file.group(texts_group(column));
  for (const HistoryPoint& point : history.points) {
    const std::string& text = point.*column.member;
    const auto [found, is_new] = numbers.emplace(text, std::ssize(numbers));
    if (is_new) file.attribute(texts_group(column), std::to_string(found->second), text);
    values.push_back(found->second);
  }
  file.write(dataset(column.name), values, {std::ssize(values)}, "1");
}

void write_content(Hdf5Writer& file, const History& history) {
  write_kind(file, kHistoryKind);
  file.group("/points");
  for (const TextColumn& column : kTexts) write_texts(file, history, column);
  std::vector<int64_t> starts;
  for (const HistoryPoint& point : history.points) starts.push_back(point.start_utc);
  file.write(dataset("start_utc"), starts, {std::ssize(starts)}, "1");
  for (const TimeColumn& column : kTimes) {
    std::vector<double> values;
    for (const HistoryPoint& point : history.points) values.push_back(point.*column.member);
    file.write(dataset(column.name), values, {std::ssize(values)}, "s");
  }
}

History parse_content(const Hdf5Reader& file) {
  if (read_kind(file) != kHistoryKind) file.fail("is no history, which cpbench history add writes");
  History history;
  const auto starts = file.read<int64_t>(dataset("start_utc"), {kAnyLength});
  history.points.resize(starts.size());
  for (size_t i = 0; i < starts.size(); ++i) history.points[i].start_utc = starts[i];
  for (const TextColumn& column : kTexts) {
    const std::map<std::string, std::string> texts = file.attributes(texts_group(column));
    const auto numbers = file.read<int64_t>(dataset(column.name), {std::ssize(starts)});
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto text = texts.find(std::to_string(numbers[i]));
      if (text == texts.end()) file.fail(dataset(column.name) + " names a missing text");
      history.points[i].*column.member = text->second;
    }
  }
  for (const TimeColumn& column : kTimes) {
    const auto values = file.read<double>(dataset(column.name), {std::ssize(starts)});
    for (size_t i = 0; i < values.size(); ++i) history.points[i].*column.member = values[i];
  }
  return history;
}

}  // namespace

History read_history(const std::string& path) {
  return read_safely<History>(path, parse_content, write_content);
}

void write_history(const std::string& path, const History& history) {
  Hdf5Writer file(path);
  write_content(file, history);
  write_atomically(path, with_checksum(file.image()));
}

}  // namespace cpbench
