#include "harness/execute/outputs.h"

#include <algorithm>
#include <cstring>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/sinks.h"

namespace cpbench {

void add_errors(const HomeOutputs& outputs, const Reference& reference, Accuracy& accuracy) {
  int64_t row = 0;
  for (const Range& tokens : outputs.home) {
    if (outputs.layer) {
      const LayerOutputs& layer = *outputs.layer;
      accuracy.max_error_output = worst_error(accuracy.max_error_output, layer.out.matrix(), row,
                                              tokens, 1, reference.layer_out);
      if (outputs.dq) {
        accuracy.max_error_gradient = worst_error(accuracy.max_error_gradient, layer.dx.matrix(),
                                                  row, tokens, 1, reference.layer_dx);
      }
      row += tokens.size();
      continue;
    }
    const auto worsen = [&](double& error, const BoundBuffer& buffer, int32_t part, int64_t heads,
                            const std::vector<double>& expected) {
      error =
          worst_error(error, matrix_of(buffer, part, buffer.heads), row, tokens, heads, expected);
    };
    const int64_t heads = reference.query_heads, kv_heads = reference.kv_heads;
    worsen(accuracy.max_error_output, *outputs.o, 1, heads, reference.o);
    if (outputs.dq) {
      worsen(accuracy.max_error_gradient, *outputs.dq, 0, heads, reference.dq);
      worsen(accuracy.max_error_gradient, *outputs.dkv, 0, kv_heads, reference.dk);
      worsen(accuracy.max_error_gradient, *outputs.dkv, 1, kv_heads, reference.dv);
    }
    row += tokens.size();
  }
  if (outputs.sinks.empty()) return;
  const double error = sink_error(outputs.sinks, outputs.home, reference);
  if (!(error <= accuracy.max_error_gradient)) accuracy.max_error_gradient = error;
}

uint64_t hash_of(const HomeOutputs& outputs) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, on words
  const auto add = [&hash](std::span<const std::byte> bytes) {
    for (size_t at = 0; at < bytes.size(); at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
      hash = (hash ^ word) * 0x100000001b3u;
    }
  };
  for (const BoundBuffer* buffer : {outputs.o, outputs.dq, outputs.dkv}) {
    if (buffer) add({buffer->data, static_cast<size_t>(buffer->parts.bytes)});
  }
  add(std::as_bytes(outputs.sinks));
  return hash;
}

}  // namespace cpbench
