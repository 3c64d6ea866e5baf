// Implementation profiles: one TOML file of profiles/ each.
//
//   Profile profile = find_profile("ideal");
#pragma once

#include <string>
#include <vector>

#include "harness/cost/profile.h"

namespace cpbench {

// A name of `list_profiles`, or the path of a TOML file with the same keys. Throws UserError: the
// nearest name for an unknown one; file, line and key for a bad file.
Profile find_profile(const std::string& name);

std::vector<Profile> list_profiles();  // sorted by name

// `place` opens the error messages: the file's name. Keys left out are those of `ideal`.
Profile parse_profile(const std::string& name, const std::string& place,
                      const std::string& toml_text);

// A file that `parse_profile` reads back to the same profile (numbers to six digits).
std::string profile_toml(const Profile& profile);

}  // namespace cpbench
