#include "workloads/given_packs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/plan/mask_text.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/plan/sizes.h"
#include "harness/presets/split_text.h"
#include "workloads/distributions.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

using nlohmann::json;

const std::string kDocs = "docs:";
const std::string kPad = "pad";
constexpr int64_t kMostPackBytes = int64_t{1} << 30;  // of a JSON file

class GivenPack : public Workload {
 public:
  GivenPack(const WorkloadSummary& summary, Batch batch) : batch_(std::move(batch)) {
    name = summary.name;
    kind = summary.kind;
    title = summary.title;
    description = summary.description;
    source = summary.source;
    if (batch_.tokens() == 0) throw UserError("no document has tokens");
  }
  std::unique_ptr<LengthStream> stream(uint64_t) const override {
    std::vector<int64_t> lengths = batch_.document_lengths;
    std::erase(lengths, 0);
    return std::make_unique<RepeatedStream>(std::move(lengths));
  }
  const Batch* pack() const override { return &batch_; }

 private:
  Batch batch_;
};

int64_t length_of(const std::string& text) {
  const int64_t length = parse_size(text);
  if (length <= kLongestDocument) return length;
  throw UserError(
      fmt::format("{}: must be from 0 to {} tokens", text, size_text(kLongestDocument)));
}

// A pad slot is a document of which all tokens are cached.
void add(Batch& batch, int64_t length, bool pad) {
  batch.document_lengths.push_back(length);
  batch.cached_tokens.push_back(pad ? length : 0);
}

void drop_what_is_default(Batch& batch) {
  const auto is = [](auto value) { return [value](auto other) { return other == value; }; };
  if (std::ranges::all_of(batch.cached_tokens, is(0))) batch.cached_tokens.clear();
  if (std::ranges::all_of(batch.parents, is(-1))) batch.parents.clear();
}

Batch parse_docs(const std::string& text) {
  Batch batch;
  for (const std::string& piece : split_text(text, ',')) {
    const bool pad = piece.starts_with(kPad + "=");
    add(batch, length_of(pad ? piece.substr(kPad.size() + 1) : piece), pad);
  }
  drop_what_is_default(batch);
  return batch;
}

const Distribution& tree() {
  constexpr double kMost = 1 << 20;
  static const Distribution table = {
      "tree",
      "Prompts with completions",
      "one pack of `trees` prompts; each completion sees its prompt and itself",
      {{"prompt", ParameterKind::tokens, "2K", "tokens of a prompt"},
       {"completions", ParameterKind::number, "8", "completions of a prompt", 1, kMost},
       {"length", ParameterKind::tokens, "1K", "tokens of a completion"},
       {"trees", ParameterKind::number, "1", "prompts", 1, kMost}},
      nullptr};
  return table;
}

Batch make_tree(const ParameterValues& values) {
  const auto completions = static_cast<int64_t>(values.number("completions"));
  const auto trees = static_cast<int64_t>(values.number("trees"));
  if (trees * (completions + 1) > int64_t{1} << 24) {
    throw UserError(
        fmt::format("{} trees of {} completions are more than 2^24 documents", trees, completions));
  }
  Batch batch;
  for (int64_t t = 0; t < trees; ++t) {
    const auto prompt = static_cast<int32_t>(batch.document_lengths.size());
    batch.document_lengths.push_back(values.tokens("prompt"));
    batch.parents.push_back(-1);
    for (int64_t c = 0; c < completions; ++c) {
      batch.document_lengths.push_back(values.tokens("length"));
      batch.parents.push_back(prompt);
    }
  }
  return batch;
}

// One document of a JSON file.
class Row {
 public:
  Row(const json& row, size_t index) : row_(row), place_(fmt::format("document {}", index)) {
    if (!row.is_object()) throw UserError(place_ + " must be an object like {\"length\": 512}");
    const std::vector<std::string> known = {"length", "parent", "rule", "cached"};
    for (const auto& [key, value] : row.items()) {
      if (std::ranges::find(known, key) == known.end()) {
        throw UserError(place_ + ": " + unknown_name("key", shown(key), known));
      }
    }
    if (!row.contains("length")) throw UserError(place_ + " has no length");
  }
  int64_t number(const char* key, int64_t otherwise, int64_t least, int64_t most) const {
    const auto found = row_.find(key);
    if (found == row_.end() || found->is_null()) return otherwise;
    const bool fits = found->is_number_integer() &&
                      (!found->is_number_unsigned() || found->get<uint64_t>() <= INT64_MAX);
    if (fits && least <= found->get<int64_t>() && found->get<int64_t>() <= most) {
      return found->get<int64_t>();
    }
    throw UserError(fmt::format("{}: {} is {}; must be a whole number from {} to {}", place_, key,
                                shown(found->dump()), least, most));
  }
  std::optional<std::string> rule() const {
    const auto found = row_.find("rule");
    if (found == row_.end() || found->is_null()) return std::nullopt;
    if (found->is_string()) return found->get<std::string>();
    throw UserError(place_ + ": rule must be a string like \"chunked:256\"");
  }
  DocumentRule parsed(const std::string& text) const {
    try {
      const DocumentRule rule = parse_mask(text);
      if (rule.mask == Mask::causal || has_window(rule.mask) != (rule.window > 0)) {
        throw UserError("'" + shown(text) + "' is not a rule of one document; write \"pad\" or a " +
                        "mask like \"document_full\" or \"chunked:256\"");
      }
      return rule;
    } catch (const UserError& error) {
      throw UserError(place_ + ": rule: " + error.what());
    }
  }

 private:
  const json& row_;
  std::string place_;
};

Batch read_pack(const std::string& path) {
  const json rows = json::parse(read_input("file of documents", path, kMostPackBytes), nullptr,
                                /*allow_exceptions=*/false);
  if (!rows.is_array()) {
    throw UserError("it must be a JSON list of documents, like [{\"length\": 512}]");
  }
  Batch batch;
  std::vector<std::optional<DocumentRule>> rules;
  for (size_t d = 0; d < rows.size(); ++d) {
    const Row row(rows[d], d);
    const int64_t length = row.number("length", 0, 0, kLongestDocument);
    const std::optional<std::string> rule = row.rule();
    const bool pad = rule == kPad;
    add(batch, length, pad);
    if (!pad) batch.cached_tokens.back() = row.number("cached", 0, 0, length);
    batch.parents.push_back(
        static_cast<int32_t>(row.number("parent", -1, -1, static_cast<int64_t>(d) - 1)));
    rules.push_back(rule && !pad ? std::optional(row.parsed(*rule)) : std::nullopt);
  }
  if (std::ranges::any_of(rules, [](const auto& rule) { return rule.has_value(); })) {
    for (const auto& rule : rules) batch.rules.push_back(rule.value_or(DocumentRule{}));
  }
  drop_what_is_default(batch);
  return batch;
}

}  // namespace

WorkloadSummary tree_summary() {
  return {tree().name, "synthetic", tree().title, tree().description + "; " + tree().usage(), ""};
}

std::unique_ptr<Workload> find_given_pack(const std::string& text) {
  try {
    if (text.starts_with(kDocs)) {
      return std::make_unique<GivenPack>(
          WorkloadSummary{text, "synthetic", "Given documents", "one pack of these documents", ""},
          parse_docs(text.substr(kDocs.size())));
    }
    if (text.substr(0, text.find(':')) == tree().name) {
      WorkloadSummary summary = tree_summary();
      summary.name = text;
      return std::make_unique<GivenPack>(summary, make_tree(parse_parameters(tree(), text)));
    }
    if (std::filesystem::path(text).extension() == ".json") {
      Batch batch = read_pack(text);
      const std::string file = std::filesystem::path(text).filename();
      const size_t documents = batch.document_lengths.size();
      return std::make_unique<GivenPack>(
          WorkloadSummary{text, "file", file,
                          fmt::format("one pack of {} documents from a file", documents), text},
          std::move(batch));
    }
  } catch (const UserError& error) {
    throw UserError(fmt::format("workload '{}': {}", shown(text), error.what()));
  }
  return nullptr;
}

}  // namespace cpbench
