#include "workloads/mix.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/plan/shown.h"
#include "harness/presets/presets.h"
#include "harness/presets/split_text.h"

namespace cpbench {
namespace {

const std::string kName = "mix";

double parse_share(const std::string& name, const std::string& text) {
  const auto value = number_of<double>(text);
  if (!value || !(*value > 0 && *value <= 1e9)) {
    throw UserError(fmt::format("{}={}: must be the set's share of the tokens, above 0",
                                shown(name), shown(text)));
  }
  return *value;
}

Mix parse_parts(const std::string& settings) {
  Mix mix;
  for (const std::string& setting : split_text(settings, ',')) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw UserError(
          fmt::format("'{}' must be set=share, as in mix:web=0.9,books=0.1", shown(setting)));
    }
    const std::string name = setting.substr(0, equals);
    const auto given = [&](const MixPart& part) { return part.set->name == name; };
    if (std::any_of(mix.begin(), mix.end(), given)) {
      throw UserError(fmt::format("'{}' is given twice", shown(name)));
    }
    const Preset set = find_preset(PresetKind::lengths, name);
    mix.push_back({std::make_shared<const LengthHistogram>(parse_histogram(set)),
                   parse_share(name, setting.substr(equals + 1)), 0});
  }
  return mix;
}

}  // namespace

bool names_mix(const std::string& text) { return text.substr(0, text.find(':')) == kName; }

Mix parse_mix(const std::string& text) {
  try {
    Mix mix = parse_parts(text.substr(std::min(kName.size() + 1, text.size())));
    double tokens = 0, documents = 0;
    for (const MixPart& part : mix) {
      tokens += part.token_share;
      documents += part.token_share / part.set->mean();
    }
    double up_to = 0;
    for (MixPart& part : mix) {
      up_to += part.token_share / part.set->mean() / documents;
      part.up_to_document_share = up_to;
      part.token_share /= tokens;
    }
    mix.back().up_to_document_share = 1;
    return mix;
  } catch (const UserError& error) {
    throw UserError(fmt::format("workload '{}': {}", shown(text), error.what()));
  }
}

StreamFactory make_mix(const Mix& mix) {
  return independent([mix](Random& random) {
    const double u = random.uniform();
    auto part = mix.begin();
    while (u >= part->up_to_document_share) ++part;
    return part->set->quantile(random.uniform());
  });
}

}  // namespace cpbench
