// Work that may crash, such as the HDF5 library's on a damaged file, in a child process.
//
//   const std::string copy = in_child("plan.h5", [&] { return clean_copy_of(bytes); });
#pragma once

#include <functional>
#include <string>

namespace cpbench {

// What `work` returns. A UserError that it throws is thrown here. So is one that begins with `name`
// if the child dies, takes longer than 30 s of CPU time, or requires more than 4 GiB of memory.
std::string in_child(const std::string& name, const std::function<std::string()>& work);

}  // namespace cpbench
