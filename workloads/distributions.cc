#include "workloads/distributions.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "workloads/burst.h"
#include "workloads/burst_scripts.h"
#include "workloads/sampling.h"
#include "workloads/zipf.h"

namespace cpbench {
namespace {

constexpr ParameterKind kTokens = ParameterKind::tokens;
constexpr ParameterKind kNumber = ParameterKind::number;

PowerLaw power_law(const ParameterValues& values, double exponent) {
  PowerLaw law{values.tokens("min"), values.tokens("max"), exponent};
  if (law.low > law.high) {
    throw UserError(fmt::format("min={} is over max={}", law.low, law.high));
  }
  return law;
}

// Clipped to min..max, as the traces that it stands for: a length outside becomes the bound.
class Lognormal {
 public:
  Lognormal(int64_t mean, const ParameterValues& values)
      : bounds_(power_law(values, 0)), sigma_(values.number("sigma")) {
    mu_ = stable_log(static_cast<double>(mean)) - sigma_ * sigma_ / 2;
  }
  int64_t draw(Random& random) const {
    double length = stable_exp(mu_ + sigma_ * normal_quantile(random.uniform()));
    double low = static_cast<double>(bounds_.low);
    double high = static_cast<double>(bounds_.high);
    return static_cast<int64_t>(std::clamp(length, low, high));
  }

 private:
  PowerLaw bounds_;
  double mu_, sigma_;
};

StreamFactory make_lognormal(const ParameterValues& values) {
  Lognormal lengths(values.tokens("mean"), values);
  return independent([lengths](Random& random) { return lengths.draw(random); });
}

StreamFactory make_bimodal(const ParameterValues& values) {
  Lognormal first(values.tokens("mean1"), values);
  Lognormal second(values.tokens("mean2"), values);
  double share = values.number("share");
  return independent(
      [=](Random& random) { return (random.uniform() < share ? second : first).draw(random); });
}

StreamFactory make_power_law(const PowerLaw& law) {
  return independent([law](Random& random) { return power_law_quantile(law, random.uniform()); });
}

StreamFactory make_uniform(const ParameterValues& values) {
  return make_power_law(power_law(values, -1));
}

StreamFactory make_pareto(const ParameterValues& values) {
  return make_power_law(power_law(values, values.number("alpha")));
}

StreamFactory make_zipf(const ParameterValues& values) {
  PowerLaw range = power_law(values, 0);
  auto table = std::make_shared<ZipfTable>(range.low, range.high, values.number("exponent"));
  return independent([table](Random& random) { return table->quantile(random.uniform()); });
}

StreamFactory make_fixed(const ParameterValues& values) {
  return independent([tokens = values.tokens("tokens")](Random&) { return tokens; });
}

StreamFactory make_burst(const ParameterValues& values) {
  BurstOptions options{.long_tokens = values.tokens("long"),
                       .share = values.number("share"),
                       .batch_tokens = values.tokens("batch"),
                       .min_tokens = values.tokens("min"),
                       .max_tokens = values.tokens("max")};
  validate(options);
  return [options](uint64_t seed) { return std::make_unique<BurstStream>(seed, options); };
}

StreamFactory make_burst_scripts(const ParameterValues& values) {
  BurstScriptsOptions options{.long_tokens = values.tokens("long"),
                              .share = values.number("share"),
                              .batch_tokens = values.tokens("batch"),
                              .samples = static_cast<int64_t>(values.number("samples")),
                              .min_tokens = values.tokens("min"),
                              .max_tokens = values.tokens("max"),
                              .bucket_tokens = static_cast<int64_t>(values.number("pad")) << 10,
                              .padding_tokens = values.tokens("padding")};
  validate(options);
  return [options](uint64_t seed) { return std::make_unique<BurstScriptsStream>(seed, options); };
}

const Parameter kMin{"min", kTokens, "1K", "shortest document"};
const Parameter kMax{"max", kTokens, "512K", "longest document"};
constexpr double kLargestSigma = 10;  // keeps exp far from overflow
constexpr double kLargestExponent = 20;

std::vector<Distribution> make_table() {
  return {
      {"lognormal",
       "Lognormal",
       "exp of a normal variable, clipped to min..max",
       {{"mean", kTokens, "16K", "mean length before clipping"},
        {"sigma", kNumber, "0.7", "standard deviation of the logarithm", 0, kLargestSigma},
        kMin,
        kMax},
       make_lognormal},
      {"bimodal",
       "Two lognormals",
       "a mixture of two lognormals, clipped to min..max",
       {{"mean1", kTokens, "16K", "mean length of the first"},
        {"mean2", kTokens, "64K", "mean length of the second"},
        {"sigma", kNumber, "0.5", "standard deviation of both logarithms", 0, kLargestSigma},
        {"share", kNumber, "0.5", "share of the documents from the second", 0, 1},
        kMin,
        kMax},
       make_bimodal},
      {"uniform",
       "Uniform",
       "every length in min..max is equally likely",
       {{"min", kTokens, "512", "shortest document"}, {"max", kTokens, "4K", "longest document"}},
       make_uniform},
      {"pareto",
       "Pareto",
       "heavy tail: the density is proportional to length^-(alpha+1) over min..max",
       {{"alpha", kNumber, "1", "tail exponent; 0 is log-uniform", 0, kLargestExponent},
        {"min", kTokens, "256", "shortest document"},
        kMax},
       make_pareto},
      {"zipf",
       "Zipf",
       "probability of a length is proportional to length^-exponent over min..max",
       {{"exponent", kNumber, "1.5", "exponent of the power law", 0, kLargestExponent},
        {"min", kTokens, "128", "shortest document"},
        {"max", kTokens, "128K", "longest document"}},
       make_zipf},
      {"fixed",
       "Fixed",
       "every document has the same length",
       {{"tokens", kTokens, "4K", "length"}},
       make_fixed},
      {"burst",
       "Bursts",
       "micro-batches of `batch` tokens; a share of them begins with one long document, all other "
       "lengths are uniform in min..max",
       {{"long", kTokens, "128K", "length of the long document"},
        {"share", kNumber, "0.5", "share of the micro-batches with a long document", 0, 1},
        {"batch", kTokens, "512K", "tokens of a micro-batch; packs should have as many"},
        {"min", kTokens, "512", "shortest of the others"},
        {"max", kTokens, "4K", "longest of the others, at least twice min"}},
       make_burst},
      {"burst_scripts",
       "Bursts of the authors' test scripts",
       "micro-batches of some samples, after the public test scripts of Flexible CP; a share of "
       "them has one long document and nearly equal others; a pack is a micro-batch, full or not",
       {{"long", kTokens, "128K", "length of the long document"},
        {"share", kNumber, "0.5", "share of the micro-batches with a long document", 0, 1},
        {"batch", kTokens, "512K", "most tokens of a micro-batch; packs must have as many"},
        {"samples", kNumber, "64", "documents of a micro-batch", 2, 1e6},
        {"min", kTokens, "512", "shortest of the others"},
        {"max", kTokens, "4K", "longest of the others"},
        {"pad", kNumber, "0", "K tokens of a bucket that is filled up with padding; 0: none", 0,
         1 << 20},
        {"padding", kTokens, "128K", "most tokens of a document of padding"}},
       make_burst_scripts},
  };
}

}  // namespace

const std::vector<Distribution>& distributions() {
  static const std::vector<Distribution> table = make_table();
  return table;
}

std::string Distribution::usage() const {
  std::string text = name;
  for (const Parameter& p : parameters) {
    text += (&p == &parameters.front() ? ':' : ',') + p.name + "=" + p.default_value;
  }
  return text;
}

}  // namespace cpbench
