// The attributes at the root of every HDF5 file of cpbench: `kind` and `schema_version`.
#pragma once

#include <string>

#include "harness/store/hdf5_file.h"

namespace cpbench {

inline constexpr const char* kResultKind = "cpbench result";
inline constexpr const char* kPlanKind = "cpbench plan";
inline constexpr const char* kHistoryKind = "cpbench history";

void write_kind(Hdf5Writer& file, const std::string& kind);
// The kind. Throws UserError for a file that is not of cpbench, or has another major schema
// version.
std::string read_kind(const Hdf5Reader& file);

}  // namespace cpbench
