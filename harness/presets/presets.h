// TOML files by name: those that cpbench ships, embedded when it was built so that the program
// needs no folder beside it, and those that users bring, named by their path.
//
//   Preset h100 = find_preset(PresetKind::clusters, "h100");
//   Preset mine = find_preset(PresetKind::clusters, "./my_cluster.toml");
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

enum class PresetKind : uint8_t { clusters, kernels, lengths, profiles, shapes, suites };

struct Preset {
  std::string name;   // "h100", "reproduce/fcp_fig9", or the stem of the user's file
  std::string place;  // opens every message about the text: "cluster 'h100'", or the file's path
  std::string text;   // TOML
};

// The shipped ones, sorted by name.
const std::vector<Preset>& shipped_presets(PresetKind kind);
std::vector<std::string> preset_names(PresetKind kind);

// Where a name may be a preset's or a file's: whether it is a file's. Files have a '/' or a '.'.
bool names_file(const std::string& name);

// A shipped preset, or else the file of that path. Throws UserError: the nearest name for an
// unknown one, the path for a file that cannot be read.
Preset find_preset(PresetKind kind, const std::string& name);

// All shipped ones as `parse` reads them.
template <typename Parse>
auto parsed_presets(PresetKind kind, Parse parse) {
  std::vector<decltype(parse(Preset()))> all;
  for (const Preset& preset : shipped_presets(kind)) all.push_back(parse(preset));
  return all;
}

}  // namespace cpbench
