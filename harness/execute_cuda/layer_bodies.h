// The kernels of a layer that treat each element by itself, as bodies (launch.h).
#pragma once

#include <cstdint>
#include <type_traits>

#include "harness/execute/gate_elements.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {

template <typename From, typename To>
struct ConvertElements {
  const From* a = nullptr;
  To* c = nullptr;
  int64_t count = 0;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < count; i += t.count) c[i] = static_cast<To>(a[i]);
  }
};

template <typename T>
struct GateElements {
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

}  // namespace cpbench
