// Kernel models by name or file: the TOML files in kernels/, and users' files, which
// `cpbench calibrate` writes.
//
//   KernelModel kernel = scaled_to(find_kernel("my_gpu.toml"), properties_of(cluster));
#pragma once

#include <string>
#include <vector>

#include "harness/cost/kernel_time.h"
#include "harness/presets/presets.h"

namespace cpbench {

const std::vector<KernelModel>& kernel_models();  // the shipped ones, sorted by name

// `name` is one of `kernel_models`, or the path of a TOML file. Throws UserError with the nearest
// name for an unknown one, and with file, line and key for a bad file.
KernelModel find_kernel(const std::string& name);

KernelModel parse_kernel(const Preset& preset);

// The text of a file from which `parse_kernel` reads the same model (numbers to six digits).
std::string kernel_toml(const KernelModel& model);

}  // namespace cpbench
