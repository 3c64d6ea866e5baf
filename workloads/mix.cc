#include "workloads/mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/presets.h"

namespace cpbench {
namespace {

const std::string kName = "mix";

std::shared_ptr<const LengthHistogram> find_set(const std::string& name) {
  std::vector<std::string> known;
  for (const Preset& file : shipped_presets(PresetKind::lengths)) {
    if (file.name == name) {
      return std::make_shared<const LengthHistogram>(parse_histogram(file));
    }
    known.push_back(file.name);
  }
  throw UserError(unknown_name("length set", name, known));
}

double parse_share(const std::string& name, const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value > 0 && value <= 1e9)) {
    throw UserError(fmt::format("{}={}: wants its share of the tokens, above 0", name, text));
  }
  return value;
}

Mix parse_parts(const std::string& settings) {
  Mix mix;
  for (size_t start = 0; start <= settings.size();) {
    const size_t comma = std::min(settings.find(',', start), settings.size());
    const std::string setting = settings.substr(start, comma - start);
    start = comma + 1;
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw UserError(fmt::format("'{}' wants set=share, as in mix:web=0.9,books=0.1", setting));
    }
    const std::string name = setting.substr(0, equals);
    const auto given = [&](const MixPart& part) { return part.set->name == name; };
    if (std::any_of(mix.begin(), mix.end(), given)) {
      throw UserError(fmt::format("'{}' is given twice", name));
    }
    auto set = find_set(name);
    mix.push_back({std::move(set), parse_share(name, setting.substr(equals + 1)), 0});
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
    throw UserError(fmt::format("workload '{}': {}", text, error.what()));
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
