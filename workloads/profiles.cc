#include "workloads/profiles.h"

#include <filesystem>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "workloads/embedded.h"
#include "workloads/toml_file.h"

namespace cpbench {
namespace {

constexpr double kMicro = 1e-6;
constexpr NumberRange kMicroseconds = {.low = 0, .high = 1e6};

const std::vector<TomlKey<Profile>>& profile_keys() {
  static const std::vector<TomlKey<Profile>> keys = {
      {"description", [](Profile& p) -> std::string& { return p.description; }},
      {"source", [](Profile& p) -> std::string& { return p.source; }},
      {"copies_by_slices", [](Profile& p) -> bool& { return p.copies_by_slices; }},
      {"slice_microseconds", [](Profile& p) -> double& { return p.slice_seconds; }, false,
       kMicroseconds, kMicro},
      {"layout_passes",
       [](Profile& p) -> double& { return p.layout_passes; },
       false,
       {.low = 0, .high = 1000}},
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

Profile parse_profile(const std::string& name, const std::string& place, const std::string& text) {
  const toml::table table = parse_toml(place, text);
  refuse_unknown_keys(table, place, names_of(profile_keys()));
  Profile profile;
  profile.name = name;
  read_keys(table, place, profile_keys(), profile);
  return profile;
}

std::string profile_toml(const Profile& profile) {
  return toml_text(profile_keys(), profile, Profile());
}

Profile find_profile(const std::string& name) {
  std::vector<std::string> known;
  for (const EmbeddedFile& file : embedded_profiles()) {
    if (file.name == name) return parse_profile(name, "profile '" + name + "'", file.text);
    known.push_back(file.name);
  }
  if (name.find_first_of("/.") != std::string::npos) {
    return parse_profile(std::filesystem::path(name).stem(), name, read_toml_file("profile", name));
  }
  throw UserError(unknown_name("profile", name, known));
}

std::vector<Profile> list_profiles() {
  std::vector<Profile> profiles;
  for (const EmbeddedFile& file : embedded_profiles()) profiles.push_back(find_profile(file.name));
  return profiles;
}

}  // namespace cpbench
