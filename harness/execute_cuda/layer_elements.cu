// The operations of a layer that treat each element by itself.
#include "harness/execute/element.h"
#include "harness/execute/gate_elements.h"
#include "harness/execute_cuda/gpu_layer.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {
namespace {

template <typename From, typename To>
struct ConvertAll {
  const From* a = nullptr;
  To* c = nullptr;
  int64_t count = 0;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < count; i += t.count) c[i] = static_cast<To>(a[i]);
  }
};

template <typename T>
struct Gate {
  T* a = nullptr;
  T* b = nullptr;
  T* c = nullptr;
  int64_t count = 0;
  bool gradients = false;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
    for (int64_t i = t.index; i < count; i += t.count) {
      if (gradients) {
        replace_by_gradients<T, Sum>(a[i], b[i], c[i]);
      } else {
        c[i] = gated<T, Sum>(a[i], b[i]);
      }
    }
  }
};

template <typename T>
T* elements_of(const Dense& dense) {
  return reinterpret_cast<T*>(dense.data);
}

}  // namespace

void launch_layer_op(const LayerOp& op, cudaStream_t stream) {
  if (op.kind == LayerOpKind::convert) {
    // From the accumulation dtype to the model's, which is another one only for bfloat16.
    return launch(ConvertAll<float, BFloat16>{elements_of<float>(op.a), elements_of<BFloat16>(op.c),
                                              op.c.size()},
                  op.c.size(), stream);
  }
  with_element(op.c.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(Gate<T>{elements_of<T>(op.a), elements_of<T>(op.b), elements_of<T>(op.c), op.c.size(),
                   op.kind == LayerOpKind::gate_gradients},
           op.c.size(), stream);
  });
}

}  // namespace cpbench
