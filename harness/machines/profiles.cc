#include "harness/machines/profiles.h"

#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

constexpr double kMicro = 1e-6;
constexpr NumberRange kMicroseconds = {.low = 0, .high = 1e6};
constexpr NumberRange kPasses = {.low = 0, .high = 1000};

const std::vector<TomlKey<Profile>>& profile_keys() {
  static const std::vector<TomlKey<Profile>> keys = {
      {"description", [](Profile& p) -> std::string& { return p.description; }},
      {"source", [](Profile& p) -> std::string& { return p.source; }},
      {"copies_by_slices", [](Profile& p) -> bool& { return p.copies_by_slices; }},
      {"slice_microseconds", [](Profile& p) -> double& { return p.slice_seconds; }, false,
       kMicroseconds, kMicro},
      {"layout_passes", [](Profile& p) -> double& { return p.layout_passes; }, false, kPasses},
      {"backward_layout_passes", [](Profile& p) -> double& { return p.backward_layout_passes; },
       false, kPasses},
      {"library_results", [](Profile& p) -> bool& { return p.library_results; }},
      {"forward_query_copies", [](Profile& p) -> double& { return p.forward_query_copies; }, false,
       kPasses},
      {"forward_key_copies", [](Profile& p) -> double& { return p.forward_key_copies; }, false,
       kPasses},
      {"backward_query_copies", [](Profile& p) -> double& { return p.backward_query_copies; },
       false, kPasses},
      {"backward_key_copies", [](Profile& p) -> double& { return p.backward_key_copies; }, false,
       kPasses},
      {"operands_kept", [](Profile& p) -> bool& { return p.operands_kept; }},
      {"copy_efficiency",
       [](Profile& p) -> double& { return p.copy_efficiency; },
       false,
       {.low = 0, .above_low = true, .high = 1}},
      {"merge_bytes_per_element",
       [](Profile& p) -> double& { return p.merge_bytes; },
       false,
       {.low = 0, .high = 1000}},
      {"merges_by_segments", [](Profile& p) -> bool& { return p.merges_by_segments; }},
      {"exchange_microseconds", [](Profile& p) -> double& { return p.exchange_seconds; }, false,
       kMicroseconds, kMicro},
      {"reserved_sms", [](Profile& p) -> int32_t& { return p.reserved_sms; }},
      {"collectives_as_messages", [](Profile& p) -> bool& { return p.collectives_as_messages; }},
      {"messages_by_rank", [](Profile& p) -> bool& { return p.messages_by_rank; }},
      {"substage_barrier", [](Profile& p) -> bool& { return p.substage_barrier; }},
  };
  return keys;
}

}  // namespace

Profile parse_profile(const Preset& preset) {
  const toml::table table = parse_toml(preset.place, preset.text);
  refuse_unknown_keys(table, preset.place, names_of(profile_keys()));
  Profile profile;
  profile.name = preset.name;
  read_keys(table, preset.place, profile_keys(), profile);
  return profile;
}

std::string profile_toml(const Profile& profile) {
  return toml_text(profile_keys(), profile, Profile());
}

Profile find_profile(const std::string& name) {
  return parse_profile(find_preset(PresetKind::profiles, name));
}

std::vector<Profile> list_profiles() { return parsed_presets(PresetKind::profiles, parse_profile); }

}  // namespace cpbench
