#include "workloads/length_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/sizes.h"
#include "harness/presets/presets.h"
#include "harness/presets/split_text.h"

namespace cpbench {
namespace {

const std::string kDocuments = "documents:";

class CutStream : public LengthStream {
 public:
  CutStream(std::unique_ptr<LengthStream> stream, int64_t longest)
      : stream_(std::move(stream)), longest_(longest) {}

  int64_t next() override {
    if (rest_ == 0) rest_ = stream_->next();
    const int64_t piece = std::min(rest_, longest_);
    rest_ -= piece;
    return piece;
  }

 private:
  std::unique_ptr<LengthStream> stream_;
  int64_t longest_;
  int64_t rest_ = 0;  // of the document that is being cut
};

void apply(const std::string& setting, LengthSet& set) {
  const size_t equals = std::min(setting.find('='), setting.size());
  const std::string key = setting.substr(0, equals);
  const std::string value = setting.substr(std::min(equals + 1, setting.size()));
  if (key == "cap") {
    const auto share = number_of<double>(value);
    if (!share || !(*share > 0 && *share <= 1)) {
      throw UserError(fmt::format("cap={}: must be a share of the pack, above 0 to 1", value));
    }
    set.cap = *share;
  } else {
    throw UserError(unknown_name("setting", key, {"cap"}));
  }
}

}  // namespace

std::optional<LengthSet> find_length_set(const std::string& text) {
  const size_t colon = std::min(text.find(':'), text.size());
  for (const Preset& file : shipped_presets(PresetKind::lengths)) {
    if (file.name != text.substr(0, colon)) continue;
    LengthSet set{parse_histogram(file)};
    if (colon == text.size()) return set;
    try {
      for (const std::string& setting : split_text(text.substr(colon + 1), ',')) {
        apply(setting, set);
      }
    } catch (const UserError& error) {
      throw UserError(fmt::format("workload '{}': {}", text, error.what()));
    }
    return set;
  }
  return std::nullopt;
}

bool names_documents(const std::string& text) { return text.starts_with(kDocuments); }

StreamFactory make_documents(const std::string& text) {
  std::vector<int64_t> lengths;
  for (const std::string& length : split_text(text.substr(kDocuments.size()), '+')) {
    try {
      lengths.push_back(parse_size(length));
    } catch (const UserError& error) {
      throw UserError(fmt::format("workload '{}': {}", text, error.what()));
    }
    if (lengths.back() >= 1 && lengths.back() <= kLongestDocument) continue;
    throw UserError(fmt::format("workload '{}': {}: must be from 1 to {} tokens", text, length,
                                size_text(kLongestDocument)));
  }
  return [lengths](uint64_t) { return std::make_unique<RepeatedStream>(lengths); };
}

std::unique_ptr<LengthStream> cut_at(std::unique_ptr<LengthStream> stream, int64_t longest) {
  return std::make_unique<CutStream>(std::move(stream), longest);
}

}  // namespace cpbench
