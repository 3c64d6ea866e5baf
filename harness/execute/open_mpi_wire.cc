#include <dlfcn.h>

#include <filesystem>

#include "harness/execute/execute.h"
#include "harness/execute/wire.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Beside the program where it was built; in ../lib where it was installed.
std::string module_file() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* folder : {".", "../lib"}) {
    const auto file = program.parent_path() / folder / kWireModule;
    if (std::filesystem::exists(file, error)) return file.string();
  }
  throw UserError(
      "this cpbench was built without MPI: install libopenmpi-dev and openmpi-bin, as "
      "scripts/setup does, and build again");
}

}  // namespace

std::unique_ptr<Wire> open_mpi_wire() {
  const std::string file = module_file();
  // Global, so that what the MPI library loads in turn finds the library's own symbols.
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!module) throw UserError("MPI cannot be loaded: " + std::string(dlerror()));
  const auto open = reinterpret_cast<OpenWireFunction*>(dlsym(module, kWireFunction));
  if (!open) throw UserError(file + " is of another cpbench: build again");
  return std::unique_ptr<Wire>(open(ExecuteOptions().timeout_seconds));
}

}  // namespace cpbench
