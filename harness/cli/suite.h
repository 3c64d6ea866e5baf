// A suite: lists of parameter values that multiply out into cells. It comes from a TOML file, from
// flags, or from a file whose values flags replace.
//
//   description = "two strategies on two length sets"
//   strategy = ["flashcp", "ring"]
//   workload = ["pile", "wlb_llm"]
//   ranks = 4                        # one value, or a list
//   set = ["flashcp.ratio=1.1"]
//
// The keys are those of `parameters()`. Several products in one file: [[sweep]] tables, whose keys
// replace the ones on top.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/measure/result.h"

namespace cpbench {

struct Values {
  std::vector<std::string> values;  // as written
  std::string origin;               // "--tokens" or "quick.toml:7: tokens", for messages
};

struct Product {
  std::map<std::string, Values> parameters;  // by name
  Values settings;                           // of "set"
};

struct Suite {
  std::string name = "flags";  // stem of the file: the folder of its results
  std::string description;
  std::vector<Product> products;
};

// The name of a suite in workloads/suites, or a file; with '/' or ".toml" always a file. Throws
// UserError: file, line, key.
Suite read_suite(const std::string& path_or_name);

struct SuiteSummary {
  std::string name, file, description;
};
std::vector<SuiteSummary> list_suites();  // those in workloads/suites, by name

// Values of `flags` replace those of every product of the suite; settings are added.
void override_with(Suite& suite, const Product& flags);

// All cells, each once, in the order of the products. Throws UserError for any value that is
// unknown, out of range, or does not go with another, naming its origin.
std::vector<Cell> cells_of(const Suite& suite);

}  // namespace cpbench
