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
// With the files in `folder`. cpbench draws the documents of a file in a random order, so this
// looks for a seed that gives theirs; throws std::runtime_error if there is none among the first
// few.
Reproduction reproduction_of(const Case& soak_case, const std::string& folder);

}  // namespace cpbench::soak
