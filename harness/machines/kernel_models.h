// Kernel models by name or file: one TOML file of kernels/ each, and users' files as
// `cpbench calibrate` writes them.
//
//   KernelModel kernel = scaled_to(find_kernel("my_gpu.toml"), properties_of(cluster));
#pragma once

#include <string>
#include <vector>

#include "harness/cost/kernel_time.h"
#include "harness/presets/presets.h"

namespace cpbench {

const std::vector<KernelModel>& kernel_models();  // the shipped ones, sorted by name

// A name of `kernel_models`, or the path of a TOML file. Throws UserError: the nearest name for an
// unknown one; file, line and key for a bad file.
KernelModel find_kernel(const std::string& name);

KernelModel parse_kernel(const Preset& preset);

// A file that `parse_kernel` reads back to the same model (numbers to six digits).
std::string kernel_toml(const KernelModel& model);

}  // namespace cpbench
