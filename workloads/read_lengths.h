// Document lengths from a user's own file. The ending of the name says the format:
//
//   .npy          NumPy, one dimension of integers, little-endian, format versions 1 to 3
//   .idx          Megatron-LM index (MMIDIDX, version 1): its sequence lengths
//   .jsonl        one JSON object per line; `data.jsonl#field` names the field, `length` if not
//                 given: a number is the length, an array counts its elements, and
//                 `data.jsonl#text:words` counts the words of a text, separated by white space (an
//                 estimate, so it has to be asked for)
//   all others    text or CSV: one length per line, a header allowed; `data.csv#column` names a
//                 column of the header where there are several
//
//   std::vector<int64_t> lengths = read_lengths("corpus.jsonl#input_ids");
//
// Every length must be 1..kLongestDocument. Throws UserError that names the file, the line or byte
// and what would be right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

std::vector<int64_t> read_lengths(const std::string& path_and_field);

// Whether a workload's name is meant as a file: it has a '/', '.' or '#' before any ':', or such a
// file exists.
bool names_length_file(const std::string& name);

// The readers behind it. `field` is what follows '#', "" if nothing does.
std::vector<int64_t> read_text_lengths(const std::string& path, const std::string& field);
std::vector<int64_t> read_jsonl_lengths(const std::string& path, const std::string& field);
std::vector<int64_t> read_npy_lengths(const std::string& path);
std::vector<int64_t> read_idx_lengths(const std::string& path);

}  // namespace cpbench
