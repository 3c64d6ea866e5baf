// Implementation profiles: one TOML file of profiles/ each.
//
//   Profile profile = find_profile("ideal");
#pragma once

#include <string>
#include <vector>

#include "harness/machines/profile.h"
#include "harness/presets/presets.h"

namespace cpbench {

// A name of `list_profiles`, or the path of a TOML file with the same keys. Throws UserError: the
// nearest name for an unknown one; file, line and key for a bad file.
Profile find_profile(const std::string& name);

std::vector<Profile> list_profiles();  // sorted by name

// Keys left out are those of `ideal`.
Profile parse_profile(const Preset& preset);

// A file that `parse_profile` reads back to the same profile (numbers to six digits).
std::string profile_toml(const Profile& profile);

}  // namespace cpbench
