#include "harness/presets/presets.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/embedded.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

// In messages: "unknown cluster 'h10'".
const char* word_for(PresetKind kind) {
  switch (kind) {
    case PresetKind::clusters:
      return "cluster";
    case PresetKind::errors:
      return "table of errors";
    case PresetKind::kernels:
      return "kernel model";
    case PresetKind::lengths:
      return "length set";
    case PresetKind::profiles:
      return "profile";
    case PresetKind::shapes:
      return "shape";
    case PresetKind::suites:
      return "suite";
  }
  return "preset";
}

std::map<PresetKind, std::vector<Preset>> load() {
  std::map<PresetKind, std::vector<Preset>> all;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string place = std::string(word_for(file.kind)) + " '" + file.name + "'";
    all[file.kind].push_back({file.name, place, file.text});
  }
  for (auto& [kind, presets] : all) std::ranges::sort(presets, {}, &Preset::name);
  return all;
}

}  // namespace

const std::vector<Preset>& shipped_presets(PresetKind kind) {
  static const std::map<PresetKind, std::vector<Preset>> all = load();
  return all.at(kind);
}

std::vector<std::string> preset_names(PresetKind kind) {
  std::vector<std::string> names;
  for (const Preset& preset : shipped_presets(kind)) names.push_back(preset.name);
  return names;
}

bool names_file(const std::string& name) { return name.find_first_of("/.") != std::string::npos; }

Preset find_preset(PresetKind kind, const std::string& name) {
  for (const Preset& preset : shipped_presets(kind)) {
    if (preset.name == name) return preset;
  }
  if (!names_file(name)) throw UserError(unknown_name(word_for(kind), name, preset_names(kind)));
  return {std::filesystem::path(name).stem(), name,
          read_toml_file(word_for(kind) + std::string(" file"), name)};
}

}  // namespace cpbench
