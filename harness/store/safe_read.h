// Reads an HDF5 file that may be damaged, or written by anybody, without being harmed by it.
//
//   Result result = read_safely<Result>(path, parse_result, write_content);
//
// A file with a checksum is read if the checksum is right. A file without one was written by
// another program or by the first release, so the HDF5 library may crash on it, hang, or ask for
// any amount of memory. A child process parses it, and its clean copy is what is read here.
#pragma once

#include <functional>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/programs/in_child.h"
#include "harness/store/checksum.h"
#include "harness/store/hdf5_file.h"

namespace cpbench {

inline constexpr int64_t kMostFileBytes = int64_t{4} << 30;  // far beyond any result or plan

// What `make` returns in a child process.
std::string clean_copy(const std::string& path, const std::function<std::string()>& make);

// `write` writes a file that `parse` reads as the same value. `parse_result`, if it is given, reads
// what is returned instead, such as a part of it. Throws UserError that begins with the path.
template <typename Value>
Value read_safely(const std::string& path, Value (*parse)(const Hdf5Reader&),
                  void (*write)(Hdf5Writer&, const Value&),
                  Value (*parse_result)(const Hdf5Reader&) = nullptr) {
  std::string bytes = read_input("HDF5 file", path, kMostFileBytes);
  switch (checksum_of(bytes)) {
    case Checksum::wrong:
      throw UserError(path + ": is damaged: its checksum does not match its content");
    case Checksum::none:
      bytes = clean_copy(path, [&] {
        Hdf5Writer copy(path);
        write(copy, parse(Hdf5Reader(path, bytes)));
        return copy.image();
      });
      break;
    case Checksum::right:
      break;
  }
  return (parse_result ? parse_result : parse)(Hdf5Reader(path, bytes));
}

}  // namespace cpbench
