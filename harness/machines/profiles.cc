#include "harness/machines/profiles.h"

#include "harness/plan/errors.h"
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
      {"collective_sms", [](P& p) -> int32_t& { return p.collective_sms; }},
      {"sm_margin", [](P& p) -> int32_t& { return p.sm_margin; }},
      {"collectives_as_messages", [](P& p) -> bool& { return p.collectives_as_messages; }},
      {"messages_by_rank", [](P& p) -> bool& { return p.messages_by_rank; }},
      {"buffers", [](P& p) -> int32_t& { return p.buffers; }},
      {"substage_barrier", [](P& p) -> bool& { return p.substage_barrier; }},
      {"multicast_per_node", [](P& p) -> bool& { return p.multicast_per_node; }},
  };
  return keys;
}

// A profile that was named for what it does, and not for whose it is.
constexpr const char* kOldName = "paper-eager";
constexpr const char* kNewName = "flashcp-paper";

constexpr const char* kSources = "sources";

// [sources] names keys that the file has, each with a text.
std::map<std::string, std::string> read_sources(const toml::table& table,
                                                const std::string& place) {
  std::map<std::string, std::string> sources;
  const toml::node* node = table.get(kSources);
  if (!node) return sources;
  const toml::table* found = node->as_table();
  if (!found) {
    throw UserError(fmt::format("{}:{}: '{}' must be a table [{}]", place,
                                node->source().begin.line, kSources, kSources));
  }
  refuse_unknown_keys(*found, place, names_of(profile_keys()));
  for (const auto& [key, value] : *found) {
    const std::string name(key.str());
    if (!table.contains(name)) {
      throw UserError(fmt::format("{}:{}: [{}] has '{}', but the file has no value for it", place,
                                  value.source().begin.line, kSources, name));
    }
    read_value(*found, place, name.c_str(), sources[name]);
  }
  return sources;
}

}  // namespace

Profile parse_profile(const Preset& preset) {
  const toml::table table = parse_toml(preset.place, preset.text);
  std::vector<std::string> known = names_of(profile_keys());
  known.push_back(kSources);
  refuse_unknown_keys(table, preset.place, known);
  Profile profile;
  profile.name = preset.name;
  read_keys(table, preset.place, profile_keys(), profile);
  profile.sources = read_sources(table, preset.place);
  return profile;
}

std::string profile_toml(const Profile& profile) {
  std::string text = toml_text(profile_keys(), profile, Profile());
  if (!profile.sources.empty()) text += fmt::format("\n[{}]\n", kSources);
  for (const auto& [key, source] : profile.sources) {
    text += fmt::format("{} = {}\n", key, quoted_toml(source));
  }
  return text;
}

std::vector<ProfileValue> values_of(const Profile& profile) {
  Profile plain = profile;
  plain.description = plain.source = "";
  std::vector<ProfileValue> values;
  for (const TomlKey<Profile>& key : profile_keys()) {
    std::string text = toml_text({key}, plain, Profile());
    if (text.empty()) continue;
    text.pop_back();  // the end of the line
    const auto source = profile.sources.find(key.name);
    values.push_back({text, key.name, source == profile.sources.end() ? "" : source->second});
  }
  return values;
}

Profile find_profile(const std::string& name) {
  if (name == kOldName) {
    fmt::print(stderr, "cpbench: profile {} is now called {}; the old name will go\n", kOldName,
               kNewName);
  }
  return parse_profile(find_preset(PresetKind::profiles, name == kOldName ? kNewName : name));
}

std::vector<Profile> list_profiles() { return parsed_presets(PresetKind::profiles, parse_profile); }

}  // namespace cpbench
