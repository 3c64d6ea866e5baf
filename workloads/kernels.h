// Kernel models by name or file: those that are built in (harness/cost/kernel_models.cc), and TOML
// files as `cpbench calibrate` writes them.
//
//   KernelModel kernel = scaled_to(find_kernel("my_gpu.toml"), {...});
#pragma once

#include <string>

#include "harness/cost/kernel_time.h"

namespace cpbench {

// A name of `kernel_models`, or the path of a TOML file. Throws UserError: the nearest name for an
// unknown one; file, line and key for a bad file.
KernelModel find_kernel(const std::string& name);

// `place` opens the error messages: the file's name.
KernelModel parse_kernel(const std::string& name, const std::string& place,
                         const std::string& toml_text);

// A file that `parse_kernel` reads back to the same model (numbers to six digits).
std::string kernel_toml(const KernelModel& model);

}  // namespace cpbench
