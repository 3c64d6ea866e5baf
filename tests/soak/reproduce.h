// A case as a command line of cpbench.
#pragma once

#include <map>
#include <string>

#include "tests/soak/soak_case.h"

namespace cpbench::soak {

// A shell script: the files that the case needs, and a run of cpbench that plans, checks and, if
// the case is run, executes it. A wrong plan or number ends it with exit code 1.
std::string script_of(const Case& soak_case);

// What the script says: its files, by name, and the fields of the run (harness/spec/run_fields.h).
struct Reproduction {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> fields;
};
// With the files in `folder`.
Reproduction reproduction_of(const Case& soak_case, const std::string& folder);

}  // namespace cpbench::soak
