#include <ATen/Parallel.h>

#include <optional>

#include "harness/execute_torch/parts.h"

namespace cpbench {

void use_cores(Cores cores) {
  static const int all = at::get_num_threads();
  thread_local std::optional<Cores> used;
  if (used == cores) return;  // setting it takes longer than a short call
  at::set_num_threads(cores == Cores::one ? 1 : all);
  used = cores;
}

}  // namespace cpbench
