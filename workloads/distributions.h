// Synthetic length distributions. One row of the table declares a distribution with its parameters;
// parsing, defaults, help and `list` follow from it.
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
  double minimum = 0;         // number: inclusive range
  double maximum = 0;
};

// Checked values for every parameter of a row.
class ParameterValues {
 public:
  int64_t tokens(const std::string& name) const { return tokens_.at(name); }
  double number(const std::string& name) const { return numbers_.at(name); }
  void set(const Parameter& parameter, const std::string& text);  // UserError out of its range

 private:
  std::map<std::string, int64_t> tokens_;
  std::map<std::string, double> numbers_;
};

struct Distribution {
  std::string name;
  std::string title;
  std::string description;
  std::vector<Parameter> parameters;
  StreamFactory (*make)(const ParameterValues& values);  // UserError if they do not go together

  std::string usage() const;  // "uniform:min=512,max=4K"
};

const std::vector<Distribution>& distributions();

struct Synthetic {
  const Distribution* distribution;
  StreamFactory factory;
};

// "uniform", "uniform:max=8K". Throws UserError that names the distribution, the parameter, the
// value and what would be right; a `distribution` of nullptr says that the name is none.
Synthetic make_synthetic(const std::string& text);

}  // namespace cpbench
