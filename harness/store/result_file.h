// A Result as one HDF5 file, as results/SCHEMA.md describes it.
//
//   write_result("results/runs/quick/" + result_file_name(spec), result);
//   Result again = read_result(path);
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

inline constexpr const char* kSchemaVersion = "1.4.0";  // of result and plan files

// Whole or not at all. The folder must exist. Throws UserError (disk full, unwritable folder).
void write_result(const std::string& path, const Result& result);

// Throws UserError for a file that is not ours, is of another major schema version, or lacks a
// piece. The metrics come in the order they were written.
Result read_result(const std::string& path);

// "flashcp-pile-8K-8r-0123456789abcdef.h5": speaks to people, and names the run by its id.
std::string result_file_name(const RunSpec& spec);

// The problem of one pack of the result.
Problem problem_of(const Result& result, const Batch& batch);

}  // namespace cpbench
