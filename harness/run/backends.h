// What a backend is, one row each: parsing, help, completion and what runs follow from the table.
#pragma once

#include <string>
#include <vector>

#include "harness/compile/compile.h"

namespace cpbench {

struct Backend {
  std::string name;
  std::string description;  // completes the help: "threads (also run on this machine)"
  bool runs = false;        // computes tensors and measures time
  bool on_gpus = false;
  bool simulates = false;  // times come from the model of a cluster, at least in part
  Collectives collectives = Collectives::messages;

  bool plans_only() const { return !runs && !simulates; }
  bool replays() const { return simulates && on_gpus; }  // kernels are timed on a GPU here
};

const std::vector<Backend>& backends();
const Backend& find_backend(const std::string& name);  // UserError with the nearest name

// The kernels that a run on the backend may name, without "auto".
std::vector<std::string> kernels_of(const Backend& backend);

}  // namespace cpbench
