// The TOML files of lengths/ and shapes/ as they were when cpbench was built, so that the binary
// needs no folder beside it.
//
//   embedded_lengths()[0].name  // "arxiv", from lengths/arxiv.toml
#pragma once

#include <string>
#include <vector>

namespace cpbench {

struct EmbeddedFile {
  std::string name;  // stem of the file
  std::string text;
};

const std::vector<EmbeddedFile>& embedded_lengths();  // sorted by name
const std::vector<EmbeddedFile>& embedded_shapes();   // sorted by name

}  // namespace cpbench
