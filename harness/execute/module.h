// Modules beside the program, loaded when they are asked for.
#pragma once

#include <string>

namespace cpbench {

// The file where it was built, beside the program, or where it was installed, in ../lib; "" if it
// is in neither.
std::string module_file(const std::string& name);

// A function that the module exports. Its symbols are global where `global`, so that what it loads
// in turn finds them. Throws UserError: "NAME cannot be loaded: ...", or that it is of another
// build.
void* module_function(const std::string& file, const char* function, bool global);

}  // namespace cpbench
