#include "harness/execute_cuda/flash/load_flash3.h"

#include <dlfcn.h>

#include "harness/execute/torch.h"
#include "harness/execute_cuda/attention/find_flash3.h"
#include "harness/execute_cuda/flash/flash3.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// Functions of Python stay undefined: they are called only when Python imports the library.
void load(const std::filesystem::path& library) {
  if (dlopen(library.c_str(), RTLD_LAZY | RTLD_GLOBAL)) return;
  throw UserError(std::string("kernel 'flash3' cannot be loaded: ") + dlerror());
}

}  // namespace

void load_flash3() {
  if (has_flash3_operators()) return;
  const std::filesystem::path packages = open_torch().packages();
  const std::optional<Flash3Package> found = find_flash3(packages);
  if (!found) {
    throw UserError(
        "kernel 'flash3' requires FlashAttention-3: install its package flash_attn_3 into " +
        packages.string() + ", or name its library in " + kFlash3Variable);
  }
  load(packages / "torch/lib/libtorch.so");  // which the library refers to without a folder
  load(found->library);
}

}  // namespace cpbench
