#include "harness/execute/module.h"

#include <dlfcn.h>

#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

// Empty if the module was not built.
fs::path file_of(const Module& module) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (const char* folder : {".", "../lib"}) {
    const fs::path file = program.parent_path() / folder / module.file;
    if (fs::exists(file, error)) return file;
  }
  return {};
}

}  // namespace

void* module_function(const Module& module) {
  const fs::path file = file_of(module);
  if (file.empty()) {
    throw UserError("this cpbench was built without " + module.feature + ": install " +
                    module.requirements + " and rebuild");
  }
  void* loaded = dlopen(file.c_str(), RTLD_NOW | (module.global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (!loaded) {
    throw UserError(module.feature + " cannot be loaded: " + dlerror() + "; it requires " +
                    module.requirements);
  }
  void* found = dlsym(loaded, module.function);
  if (!found) throw UserError(file.string() + " was built for another version of cpbench: rebuild");
  return found;
}

}  // namespace cpbench
