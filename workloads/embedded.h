// The TOML files of lengths/, shapes/, clusters/ and profiles/ as they were when cpbench was built,
// so that the binary needs no folder beside it.
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

// Each sorted by name.
const std::vector<EmbeddedFile>& embedded_lengths();
const std::vector<EmbeddedFile>& embedded_shapes();
const std::vector<EmbeddedFile>& embedded_clusters();
const std::vector<EmbeddedFile>& embedded_profiles();

}  // namespace cpbench
