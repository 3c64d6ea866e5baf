// Synthetic length distributions. One row of a table declares a distribution with its parameters;
// parsing, defaults, help and `cpbench list` follow from the row.
//
//   Synthetic made = make_synthetic("lognormal:mean=16K,sigma=2");
#pragma once

#include <map>
#include <string>
#include <vector>

#include "workloads/streams.h"

namespace cpbench {

enum class ParameterKind : uint8_t { tokens, number };

struct Parameter {
  std::string name;           // "mean"
  ParameterKind kind;         // tokens: 1..kLongestDocument, written 4096 or 4K
  std::string default_value;  // "16K"
  std::string help;           // one line
  double minimum = 0;         // of a number, inclusive
  double maximum = 0;
};

// A valid value for every parameter of a row.
class ParameterValues {
 public:
  int64_t tokens(const std::string& name) const { return tokens_.at(name); }
  double number(const std::string& name) const { return numbers_.at(name); }
  void set(const Parameter& parameter, const std::string& text);  // UserError if out of range

 private:
  std::map<std::string, int64_t> tokens_;
  std::map<std::string, double> numbers_;
};

struct Distribution {
  std::string name;
  std::string title;
  std::string description;
  std::vector<Parameter> parameters;
  // Throws UserError if values are inconsistent; nullptr in given_packs.cc, which makes packs.
  StreamFactory (*make)(const ParameterValues& values);

  std::string usage() const;  // "uniform:min=512,max=4K"
};

const std::vector<Distribution>& distributions();

// The values of "NAME:key=value,...", with defaults for those not given. Throws UserError with the
// parameter, its value and what it must be.
ParameterValues parse_parameters(const Distribution& distribution, const std::string& text);

struct Synthetic {
  const Distribution* distribution;
  StreamFactory factory;
};

// `text` is like "uniform" or "uniform:max=8K". The `distribution` is nullptr if the name is not
// one of a distribution. Throws UserError with the distribution, the parameter, its value and what
// it must be.
Synthetic make_synthetic(const std::string& text);

}  // namespace cpbench
