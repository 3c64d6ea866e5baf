// Implementation profiles by name or file: the TOML files in profiles/, and users' own.
//
//   Profile profile = find_profile("ideal");
#pragma once

#include <string>
#include <vector>

#include "harness/machines/profile.h"
#include "harness/presets/presets.h"

namespace cpbench {

// `name` is one of `list_profiles`, or the path of a TOML file with the same keys. Throws UserError
// with the nearest name for an unknown one, and with file, line and key for a bad file. Warns on
// stderr of an old name.
Profile find_profile(const std::string& name);

std::vector<Profile> list_profiles();  // sorted by name

// The values that differ from those of `ideal`.
struct ProfileValue {
  std::string text;  // "merge_bytes_per_element = 40"
  std::string key;
  std::string source;  // "": an assumption
};
std::vector<ProfileValue> values_of(const Profile& profile);

// A key that is left out has the value of `ideal`.
Profile parse_profile(const Preset& preset);

// The text of a file from which `parse_profile` reads the same profile (numbers to six digits).
std::string profile_toml(const Profile& profile);

}  // namespace cpbench
