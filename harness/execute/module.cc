#include "harness/execute/module.h"

#include <filesystem>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/source_tree/source_tree.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

// Empty if the module was not built.
fs::path file_of(const Module& module) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> folders = {program.parent_path(), program.parent_path() / "../lib"};
  if (program.string().starts_with((build_tree() / "").string())) folders.push_back(build_tree());
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / module.file, error)) return folder / module.file;
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
  void* loaded = dlopen(file.c_str(), module.binding);
  if (!loaded) {
    throw UserError(module.feature + " cannot be loaded: " + dlerror() + "; it requires " +
                    module.requirements);
  }
  void* found = dlsym(loaded, module.function);
  if (!found) throw UserError(file.string() + " was built for another version of cpbench: rebuild");
  return found;
}

}  // namespace cpbench
