// The layer around the attention (layer.h) on a CPU, with LibTorch's matrix products.
//
//   const HostLayer layer(shape, home);
//   layer.fill_inputs(tokens, seed);
//   layer.run(layer.bound().before(0));   // writes the home Q, K and V
#pragma once

#include "harness/execute/bound_buffer.h"
#include "harness/execute/layer.h"

namespace cpbench {

class HostLayer {
 public:
  HostLayer(const AttentionShape& shape, const LayerHome& home)
      : arena_(BoundLayer(shape, home, nullptr).bytes()), bound_(shape, home, arena_.data()) {}

  const BoundLayer& bound() const { return bound_; }
  static void run(const std::vector<LayerOp>& ops);

 private:
  Arena arena_;
  BoundLayer bound_;
};

}  // namespace cpbench
