// What a backend is, one row each: parsing, help, completion and what runs follow from the table.
#pragma once

#include <string>
#include <vector>

#include "harness/compile/compile.h"
#include "harness/measure/result.h"

namespace cpbench {

struct Backend {
  std::string name;
  std::string description;  // in the help: "threads (also run on this machine)"
  bool runs = false;        // computes tensors and measures time
  bool on_gpus = false;
  bool costs = false;  // on the model of a cluster
  Collectives collectives = Collectives::messages;
};

const std::vector<Backend>& backends();
const Backend& backend_of(const Cell& cell);
const std::vector<std::string>& backend_names();

// The kernels that a cell of the backend may name, "auto" not among them.
std::vector<std::string> kernels_of(const Backend& backend);

}  // namespace cpbench
