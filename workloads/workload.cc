#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <set>
#include <tuple>

#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/presets/presets.h"
#include "workloads/distributions.h"
#include "workloads/given_packs.h"
#include "workloads/histogram.h"
#include "workloads/length_sets.h"
#include "workloads/mix.h"
#include "workloads/read_lengths.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

const std::string kOrder = ":order=";

class FactoryWorkload : public Workload {
 public:
  explicit FactoryWorkload(const WorkloadSummary& summary, StreamFactory factory)
      : factory_(std::move(factory)) {
    name = summary.name;
    kind = summary.kind;
    title = summary.title;
    description = summary.description;
    source = summary.source;
  }
  std::unique_ptr<LengthStream> stream(uint64_t seed) const override { return factory_(seed); }

 private:
  StreamFactory factory_;
};

WorkloadSummary summary_of(const LengthHistogram& set) {
  std::string count = set.documents ? fmt::format("{} documents; ", set.documents) : "";
  return {set.name, "lengths", set.title, set.description,
          fmt::format("{}; {}licence: {}; tokenizer: {}; cautions: {}", set.source, count,
                      set.licence, set.tokenizer, set.cautions)};
}

WorkloadSummary summary_of(const Distribution& d) {
  return {d.name, "synthetic", d.title, d.description + "; " + d.usage(), ""};
}

WorkloadSummary summary_of(const std::string& name, const Mix& mix) {
  WorkloadSummary summary{name, "lengths", "Mix of length sets", "by tokens: ", ""};
  for (const MixPart& part : mix) {
    const bool first = &part == &mix.front();
    summary.description +=
        fmt::format("{}{} {:.3g}%", first ? "" : ", ", part.set->name, 100 * part.token_share);
    summary.source +=
        fmt::format("{}{}: {}", first ? "" : " | ", part.set->name, summary_of(*part.set).source);
  }
  return summary;
}

// Every document of a file once, in a random order that follows from the seed, then all again in
// another order.
class ShuffledStream : public LengthStream {
 public:
  ShuffledStream(uint64_t seed, std::shared_ptr<const std::vector<int64_t>> lengths)
      : random_(seed), lengths_(std::move(lengths)) {}

  int64_t next() override {
    // Fisher-Yates, one swap per document: position `next_` gets one that was not drawn yet.
    if (order_.empty()) order_ = *lengths_;
    if (next_ == order_.size()) next_ = 0;
    size_t chosen = next_ + random_.below(static_cast<int64_t>(order_.size() - next_));
    std::swap(order_[next_], order_[chosen]);
    return order_[next_++];
  }

 private:
  Random random_;
  std::shared_ptr<const std::vector<int64_t>> lengths_;
  std::vector<int64_t> order_;
  size_t next_ = 0;
};

// Once for each file: every run of a sweep reads it.
void note_skipped(const std::string& name, const FileLengths& documents) {
  static std::mutex mutex;
  static std::set<std::string> noted;
  const std::lock_guard lock(mutex);
  if (documents.skipped == 0 || !noted.insert(name).second) return;
  fmt::print(stderr, "cpbench: note: {}: {} of {} documents have no tokens and are skipped\n", name,
             documents.skipped, documents.lengths.size() + documents.skipped);
}

std::unique_ptr<Workload> read_workload(const std::string& name) {
  const size_t option = std::min(name.rfind(kOrder), name.size());
  const std::string path = name.substr(0, option);
  const std::string order = option == name.size() ? "file" : name.substr(option + kOrder.size());
  if (order != "file" && order != "shuffled") {
    throw UserError(fmt::format("workload '{}': {}", shown(name),
                                unknown_name("order", order, {"file", "shuffled"})));
  }
  FileLengths documents = read_lengths(path);
  note_skipped(path, documents);
  auto lengths = std::make_shared<const std::vector<int64_t>>(std::move(documents.lengths));
  std::string file = path.substr(path.find_last_of('/') + 1);
  return std::make_unique<FactoryWorkload>(
      WorkloadSummary{name, "file", file, fmt::format("{} documents from a file", lengths->size()),
                      path},
      [lengths, order](uint64_t seed) -> std::unique_ptr<LengthStream> {
        if (order == "file") return std::make_unique<RepeatedStream>(*lengths);
        return std::make_unique<ShuffledStream>(seed, lengths);
      });
}

}  // namespace

std::unique_ptr<Workload> find_workload(const std::string& name) {
  if (std::optional<LengthSet> found = find_length_set(name)) {
    auto set = std::make_shared<const LengthHistogram>(std::move(found->histogram));
    WorkloadSummary summary = summary_of(*set);
    summary.name = name;
    auto workload = std::make_unique<FactoryWorkload>(
        summary, independent([set](Random& random) { return set->quantile(random.uniform()); }));
    workload->cap = found->cap;
    return workload;
  }
  if (names_documents(name)) {
    return std::make_unique<FactoryWorkload>(
        WorkloadSummary{name, "synthetic", "Given documents", "in this order, again and again", ""},
        make_documents(name));
  }
  if (std::unique_ptr<Workload> pack = find_given_pack(name)) return pack;
  if (names_mix(name)) {
    const Mix mix = parse_mix(name);
    return std::make_unique<FactoryWorkload>(summary_of(name, mix), make_mix(mix));
  }
  Synthetic synthetic = make_synthetic(name);
  if (synthetic.distribution) {
    WorkloadSummary summary = summary_of(*synthetic.distribution);
    summary.name = name;
    return std::make_unique<FactoryWorkload>(summary, synthetic.factory);
  }
  if (names_length_file(name)) return read_workload(name);
  std::vector<std::string> known = preset_names(PresetKind::lengths);
  for (const Distribution& d : distributions()) known.push_back(d.name);
  known.push_back(tree_summary().name);
  throw UserError(unknown_name("workload", name.substr(0, name.find(':')), known));
}

std::vector<WorkloadSummary> list_workloads() {
  std::vector<WorkloadSummary> all;
  for (const Preset& file : shipped_presets(PresetKind::lengths)) {
    all.push_back(summary_of(parse_histogram(file)));
  }
  for (const Distribution& d : distributions()) all.push_back(summary_of(d));
  all.push_back(tree_summary());
  std::sort(all.begin(), all.end(), [](const WorkloadSummary& a, const WorkloadSummary& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return all;
}

}  // namespace cpbench
