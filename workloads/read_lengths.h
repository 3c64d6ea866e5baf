// Reads document lengths from a user's own file. The ending of its name decides the format:
//
//   .npy          NumPy: a one-dimensional array of little-endian integers, format versions 1 to 3
//   .idx          Megatron-LM index (MMIDIDX, version 1): a document has the tokens of all its
//                 sequences
//   .jsonl        one JSON object per line. `data.jsonl#field` names the field, else it is
//   `length`.
//                 A number is the length, an array counts its elements. `data.jsonl#text:words`
//                 counts the words of a text, which are separated by white space; this is an
//                 estimate, so it must be requested
//   all others    text or CSV: one length per line, with an optional header. If there are several
//                 columns, `data.csv#column` names one of the header
//
//   FileLengths documents = read_lengths("corpus.jsonl#input_ids");
//
// Every length must be 0..kLongestDocument; documents without tokens, which real corpora have, are
// skipped and counted. A file may have at most 2^28 documents (in an .idx file: sequences), and a
// line at most 64 MiB. Throws UserError with the file, its line or byte, and what is expected
// there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/presets/line_reader.h"

namespace cpbench {

struct FileLengths {
  std::vector<int64_t> lengths;  // at least 1 each
  int64_t skipped = 0;           // documents without tokens
};
constexpr const char* kLengthFile = "file of lengths";  // in messages
constexpr int64_t kMostDocuments = int64_t{1} << 28;

FileLengths read_lengths(const std::string& path_and_field);  // has at least one length

// Whether the name of a workload is meant as a file: it has a '/', '.' or '#' before any ':', or a
// file of that name exists.
bool names_length_file(const std::string& name);

// Adds the document of one line, of 0 to kLongestDocument tokens.
void add_line(const LineReader& reader, int64_t length, FileLengths& documents);

// The readers of the formats. `field` is the text after '#', or "".
FileLengths read_text_lengths(const std::string& path, const std::string& field);
FileLengths read_jsonl_lengths(const std::string& path, const std::string& field);
FileLengths read_npy_lengths(const std::string& path);
FileLengths read_idx_lengths(const std::string& path);

}  // namespace cpbench
