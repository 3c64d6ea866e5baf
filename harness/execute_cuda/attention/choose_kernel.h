// Which kernel "auto" opens.
//
//   first_kernel(auto_kernels(90), open)   // "cudnn" if open("cudnn") succeeds
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cpbench {

// Throws UserError for a name that is neither "auto" nor one of gpu_kernel_names().
void check_gpu_kernel_name(const std::string& name);

// The kernels that "auto" tries, in order. `capability` is 90 for Hopper.
std::vector<std::string> auto_kernels(int32_t capability);

// Throws UserError if the margin leaves a kernel none of the GPU's `sms`.
void check_sms_left(int32_t sm_margin, int32_t sms);

// Calls `open` with one name after another until it does not throw UserError, and returns that
// name. Rethrows the last UserError if all fail.
std::string first_kernel(const std::vector<std::string>& names,
                         const std::function<void(const std::string&)>& open);

}  // namespace cpbench
