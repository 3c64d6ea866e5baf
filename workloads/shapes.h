// Attention shapes of known models and for tests, by name or file: the TOML files in shapes/.
//
//   AttentionShape attention = find_shape("llama3_8b").attention;
//
// The dtype belongs to the run, not to the shape, and keeps its default.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/presets/presets.h"

namespace cpbench {

struct NamedShape {
  std::string name;         // stem of the file
  std::string description;  // one line
  std::string source;       // where the numbers come from
  AttentionShape attention;
  // Of a model with multi-head latent attention, else 0. A run in which K and V travel as latents
  // has them in its AttentionShape.
  int64_t latent_size = 0;
  int64_t latent_rope_size = 0;
};

// `name` is one of `list_shapes`, or the path of a TOML file with the same keys. Throws UserError
// with the nearest name for an unknown one, and with file and key for a bad file.
NamedShape find_shape(const std::string& name);

std::vector<NamedShape> list_shapes();  // sorted by name

NamedShape parse_shape(const Preset& preset);

}  // namespace cpbench
