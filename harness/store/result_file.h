// Writes and reads a Result as one HDF5 file, which results/SCHEMA.md describes.
//
//   write_result("results/runs/quick/" + result_file_name(spec), result);
//   Result again = read_result(path);
#pragma once

#include <string>

#include "harness/measure/result.h"

namespace cpbench {

inline constexpr const char* kSchemaVersion = "1.6.0";  // of result and plan files

// Writes the file completely or not at all. The folder must exist. Throws UserError, for example if
// the disk is full.
void write_result(const std::string& path, const Result& result);

// Throws UserError for a file that is not of cpbench, has another major schema version, is
// incomplete or is damaged (safe_read.h). Metrics have the order in which they were written.
Result read_result(const std::string& path);

// The same without `cluster`, and of each pack only the hash and the properties of its plan: what
// tables need of thousands of files. Reading and checking the plans takes as long as making them.
Result read_result_head(const std::string& path);

// "flashcp-pile-8K-8r-0123456789abcdef.h5": readable for people, and unique by the id of the run.
std::string result_file_name(const RunSpec& spec);

// The problem of one pack of the result.
Problem problem_of(const Result& result, const Batch& batch);

}  // namespace cpbench
