#include "harness/machines/profiles.h"

#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

constexpr double kMicro = 1e-6;
constexpr NumberRange kMicroseconds = {.low = 0, .high = 1e6};
constexpr NumberRange kFew = {.low = 0, .high = 1000};
constexpr NumberRange kLaunches = {.low = 1, .high = 1000};
constexpr NumberRange kShare = {.low = 0, .above_low = true, .high = 1};

const std::vector<TomlKey<Profile>>& profile_keys() {
  using P = Profile;
  static const std::vector<TomlKey<P>> keys = {
      {"description", [](P& p) -> std::string& { return p.description; }},
      {"source", [](P& p) -> std::string& { return p.source; }},
      {"copies_by_slices", [](P& p) -> bool& { return p.copies_by_slices; }},
      {"slice_microseconds", [](P& p) -> double& { return p.slice_seconds; }, false, kMicroseconds,
       kMicro},
      {"layout_passes", [](P& p) -> double& { return p.layout_passes; }, false, kFew},
      {"backward_layout_passes", [](P& p) -> double& { return p.backward_layout_passes; }, false,
       kFew},
      {"library_results", [](P& p) -> bool& { return p.library_results; }},
      {"forward_query_copies", [](P& p) -> double& { return p.forward_query_copies; }, false, kFew},
      {"forward_key_copies", [](P& p) -> double& { return p.forward_key_copies; }, false, kFew},
      {"backward_query_copies", [](P& p) -> double& { return p.backward_query_copies; }, false,
       kFew},
      {"backward_key_copies", [](P& p) -> double& { return p.backward_key_copies; }, false, kFew},
      {"operands_kept", [](P& p) -> bool& { return p.operands_kept; }},
      {"copy_efficiency", [](P& p) -> double& { return p.copy_efficiency; }, false, kShare},
      {"merge_bytes_per_element", [](P& p) -> double& { return p.merge_bytes; }, false, kFew},
      {"merges_by_segments", [](P& p) -> bool& { return p.merges_by_segments; }},
      {"forward_call_launches", [](P& p) -> double& { return p.forward_call_launches; }, false,
       kLaunches},
      {"backward_call_launches", [](P& p) -> double& { return p.backward_call_launches; }, false,
       kLaunches},
      {"merge_launches", [](P& p) -> double& { return p.merge_launches; }, false, kLaunches},
      {"launch_host_microseconds", [](P& p) -> double& { return p.launch_host_seconds; }, false,
       kMicroseconds, kMicro},
      {"slice_host_microseconds", [](P& p) -> double& { return p.slice_host_seconds; }, false,
       kMicroseconds, kMicro},
      {"exchange_microseconds", [](P& p) -> double& { return p.exchange_seconds; }, false,
       kMicroseconds, kMicro},
      {"graph_microseconds", [](P& p) -> double& { return p.graph_seconds; }, false, kMicroseconds,
       kMicro},
      {"reserved_sms", [](P& p) -> int32_t& { return p.reserved_sms; }},
      {"collectives_as_messages", [](P& p) -> bool& { return p.collectives_as_messages; }},
      {"messages_by_rank", [](P& p) -> bool& { return p.messages_by_rank; }},
      {"substage_barrier", [](P& p) -> bool& { return p.substage_barrier; }},
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
