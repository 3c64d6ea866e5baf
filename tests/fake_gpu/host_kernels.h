// Included before the module's .cu files when they are compiled for the CPU. Its `launch` launches
// nothing, but registers a loop that runs the body.
#pragma once

#include <typeinfo>

#include "harness/execute_cuda/launch.h"
#include "tests/fake_gpu/fake.h"

namespace fake_gpu {

template <typename Body>
void run_groups(const void* body, int64_t groups) {
  for (int64_t i = 0; i < groups; ++i) {
    (*static_cast<const Body*>(body))(cpbench::Thread{.index = i, .count = groups});
  }
}

template <typename Body>
struct Registered {
  static const bool done;
};
template <typename Body>
const bool Registered<Body>::done =
    register_kernel(typeid(Body).name(), sizeof(Body), &run_groups<Body>);

}  // namespace fake_gpu

namespace cpbench {

template <typename Body>
const bool* launch(const Body&, int64_t, cudaStream_t, int32_t = 0) {
  return &fake_gpu::Registered<Body>::done;
}

}  // namespace cpbench
