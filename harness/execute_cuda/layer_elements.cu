// The operations of a layer that treat each element by itself.
#include "harness/execute/element.h"
#include "harness/execute_cuda/gpu_layer.h"
#include "harness/execute_cuda/layer_bodies.h"

namespace cpbench {
namespace {

template <typename T>
T* elements_of(const Dense& dense) {
  return reinterpret_cast<T*>(dense.data);
}

}  // namespace

void launch_layer_op(const LayerOp& op, cudaStream_t stream) {
  if (op.kind == LayerOpKind::convert) {
    // From the accumulation dtype to the model's, which is another one only for bfloat16.
    launch(ConvertElements<float, BFloat16>{elements_of<float>(op.a), elements_of<BFloat16>(op.c),
                                            op.c.size()},
           op.c.size(), stream);
    return;
  }
  with_element(op.c.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(GateElements<T>{elements_of<T>(op.a), elements_of<T>(op.b), elements_of<T>(op.c),
                           op.c.size(), op.kind == LayerOpKind::gate_gradients},
           op.c.size(), stream);
  });
}

}  // namespace cpbench
