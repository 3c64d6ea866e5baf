// A suite: lists of values of run fields that multiply out into runs. It comes from a TOML file,
// from flags, or from a file whose values flags replace.
//
//   description = "two strategies on two length sets"
//   strategy = ["flashcp", "ring"]
//   workload = ["pile", "wlb_llm"]
//   ranks = 4                        # one value, or a list
//   set = ["flashcp.ratio=1.1"]
//
// The keys are those of `run_fields()`. Several products in one file: [[sweep]] tables, whose keys
// replace the ones on top. A list has at most 1,000 values, and a file at most 1,000 products.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cpbench {

struct Values {
  std::vector<std::string> values;  // as written
  std::string origin;               // "--tokens" or "quick.toml:7: tokens", for messages
};

struct Product {
  std::map<std::string, Values> fields;  // by name
  Values settings;                       // of "set"
};

struct Suite {
  std::string name = "flags";  // stem of the file: the folder of its results
  std::string description;
  std::vector<Product> products;
};

// The name of a shipped suite, like quick or reproduce/fcp_fig9, or the path of a file. Throws
// UserError: file, line, key.
Suite read_suite(const std::string& path_or_name);

struct SuiteSummary {
  std::string name, file, description;
};
std::vector<SuiteSummary> list_suites();  // the shipped ones that are no paper's figure, by name

// Values of `flags` replace those of every product of the suite; settings are added.
void override_with(Suite& suite, const Product& flags);

}  // namespace cpbench
