// Which kernel `auto` takes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cpbench {

// Throws UserError for a name that is neither "auto" nor one of gpu_kernel_names().
void check_gpu_kernel_name(const std::string& name);

// The kernels that `auto` tries, in this order. `capability`: 90 is Hopper.
std::vector<std::string> auto_kernels(int32_t capability);

// Calls `open` on one name after the other until one throws no UserError. Throws UserError with the
// last one's message if all do.
std::string first_kernel(const std::vector<std::string>& names,
                         const std::function<void(const std::string&)>& open);

}  // namespace cpbench
