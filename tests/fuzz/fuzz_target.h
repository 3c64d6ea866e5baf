// What is fuzzed: every reader of bytes that come from outside cpbench. A reader may return, or
// refuse with a UserError of one short line. Any other exception, a crash, a hang or memory beyond
// a bound is a failure.
//
//   const FuzzTarget& cluster = *find_target("cluster");
//   cluster.run(fuzz_case(cluster.seeds(), seed, index));
//
// A new reader is one row in one of the tables below (*_targets.cc). Inputs that once failed are
// files in corpus/TARGET/, named NAME.bin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cpbench {

struct FuzzTarget {
  const char* name;
  std::vector<std::string> (*seeds)();  // valid and broken inputs, which are mutated
  void (*run)(std::string_view bytes);  // libFuzzer's signature, but for the return value
};

std::vector<FuzzTarget> toml_targets();
std::vector<FuzzTarget> length_targets();
std::vector<FuzzTarget> plan_targets();
std::vector<FuzzTarget> message_targets();

const std::vector<FuzzTarget>& fuzz_targets();           // all of them
const FuzzTarget* find_target(const std::string& name);  // nullptr if there is none

// The seeds of the target and the files of its corpus.
std::vector<std::string> inputs_of(const FuzzTarget& target);

// For readers of files: writes the bytes to a file with this ending, and returns its path. The next
// call replaces the file.
std::string file_with(std::string_view bytes, const std::string& ending);

// `piece`, so many times.
std::string repeated(const std::string& piece, size_t times);

}  // namespace cpbench
