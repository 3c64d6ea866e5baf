// A Cell as the text attributes at the root of a result file: the lines of its canonical text.
#pragma once

#include <map>
#include <string>

#include "harness/measure/result.h"
#include "harness/store/hdf5_file.h"

namespace cpbench {

void write_cell(Hdf5Writer& file, const Cell& cell);
// Throws UserError for an attribute that is missing or no value of its field.
Cell read_cell(const Hdf5Reader& file);

}  // namespace cpbench
