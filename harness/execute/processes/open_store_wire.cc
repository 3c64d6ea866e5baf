#include "harness/execute/processes/store_wire.h"
#include "harness/execute/torch.h"

namespace cpbench {

std::unique_ptr<Wire> open_store_wire(const LaunchEnvironment& launch, double timeout_seconds) {
  void* open = module_function(torch_module(kStoreWireFunction));
  return std::unique_ptr<Wire>(
      reinterpret_cast<OpenStoreWireFunction*>(open)(launch, timeout_seconds));
}

}  // namespace cpbench
