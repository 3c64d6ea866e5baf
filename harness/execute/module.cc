#include "harness/execute/module.h"

#include <dlfcn.h>

#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {

std::string module_file(const std::string& name) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* folder : {".", "../lib"}) {
    const auto file = program.parent_path() / folder / name;
    if (std::filesystem::exists(file, error)) return file.string();
  }
  return "";
}

void* module_function(const std::string& file, const char* function, bool global) {
  void* module = dlopen(file.c_str(), RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
  const std::string name = std::filesystem::path(file).filename();
  if (!module) throw UserError(name + " cannot be loaded: " + std::string(dlerror()));
  void* found = dlsym(module, function);
  if (!found) throw UserError(file + " is of another cpbench: build again");
  return found;
}

}  // namespace cpbench
