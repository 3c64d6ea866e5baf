#include "harness/execute_cuda/attention/launch_bodies.h"

namespace cpbench {
namespace {

template <typename Body>
void launch_all(const Body& body, cudaStream_t stream) {
  launch(body, body.threads(), stream);
}

}  // namespace

void launch_body(const CopyRows<BFloat16>& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const CopyRows<float>& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const AddRows& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const CopySideData& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const BlankRows<BFloat16>& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const BlankRows<float>& body, cudaStream_t stream) { launch_all(body, stream); }
void launch_body(const MakeOutput<kHeadLanes>& body, cudaStream_t stream) {
  launch_all(body, stream);
}

}  // namespace cpbench
