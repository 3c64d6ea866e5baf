// Reads document lengths from a user's own file. The ending of its name decides the format:
//
//   .npy          NumPy: a one-dimensional array of little-endian integers, format versions 1 to 3
//   .idx          Megatron-LM index (MMIDIDX, version 1): its sequence lengths
//   .jsonl        one JSON object per line. `data.jsonl#field` names the field, else it is
//   `length`.
//                 A number is the length, an array counts its elements. `data.jsonl#text:words`
//                 counts the words of a text, which are separated by white space; this is an
//                 estimate, so it must be requested
//   all others    text or CSV: one length per line, with an optional header. If there are several
//                 columns, `data.csv#column` names one of the header
//
//   std::vector<int64_t> lengths = read_lengths("corpus.jsonl#input_ids");
//
// Every length must be 1..kLongestDocument. Throws UserError with the file, its line or byte, and
// what is expected there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

std::vector<int64_t> read_lengths(const std::string& path_and_field);

// Whether the name of a workload is meant as a file: it has a '/', '.' or '#' before any ':', or a
// file of that name exists.
bool names_length_file(const std::string& name);

// The readers of the formats. `field` is the text after '#', or "".
std::vector<int64_t> read_text_lengths(const std::string& path, const std::string& field);
std::vector<int64_t> read_jsonl_lengths(const std::string& path, const std::string& field);
std::vector<int64_t> read_npy_lengths(const std::string& path);
std::vector<int64_t> read_idx_lengths(const std::string& path);

}  // namespace cpbench
