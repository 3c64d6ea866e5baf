// The layer around the attention (layer.h) in the memory of the host.
//
//   const HostLayer layer(shape, home, Cores::one);
//   layer.bound().fill_inputs(tokens, seed, fill);
//   layer.run(layer.bound().before(0));   // writes the home Q, K and V
#pragma once

#include "harness/execute/bound_buffer.h"
#include "harness/execute/torch.h"

namespace cpbench {

class HostLayer {
 public:
  HostLayer(const AttentionShape& shape, const LayerHome& home, Cores cores)
      : cores_(cores),
        arena_(BoundLayer(shape, home, nullptr).bytes()),
        bound_(shape, home, arena_.data()) {}

  const BoundLayer& bound() const { return bound_; }
  void run(const std::vector<LayerOp>& ops) const { open_torch().run_layer(ops, cores_); }

 private:
  Cores cores_;
  Arena arena_;
  BoundLayer bound_;
};

}  // namespace cpbench
