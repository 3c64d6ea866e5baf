// TOML files by name. Those that cpbench ships are compiled in, so that the program runs from any
// folder; users name their own files by path.
//
//   Preset h100 = find_preset(PresetKind::clusters, "h100");
//   Preset mine = find_preset(PresetKind::clusters, "./my_cluster.toml");
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

enum class PresetKind : uint8_t { clusters, errors, kernels, lengths, profiles, shapes, suites };

struct Preset {
  std::string name;   // "h100", "reproduce/fcp_fig9", or the stem of the user's file
  std::string place;  // begins every message about the text: "cluster 'h100'", or the file's path
  std::string text;   // TOML
};

// Both are sorted by name.
const std::vector<Preset>& shipped_presets(PresetKind kind);
std::vector<std::string> preset_names(PresetKind kind);

// Whether a name is meant as the path of a file: it has a '/' or a '.', as no preset's name has.
bool names_file(const std::string& name);

// A shipped preset, or else the file at that path. Throws UserError with the nearest name for an
// unknown one, and with the path of a file that cannot be read.
Preset find_preset(PresetKind kind, const std::string& name);

// All shipped presets, each as the result of `parse`.
template <typename Parse>
auto parsed_presets(PresetKind kind, Parse parse) {
  std::vector<decltype(parse(Preset()))> all;
  for (const Preset& preset : shipped_presets(kind)) all.push_back(parse(preset));
  return all;
}

}  // namespace cpbench
