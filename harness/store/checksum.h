// The checksum at the end of an HDF5 file, by which a damaged file is recognised before the HDF5
// library sees it: the library can crash on one. It is one line behind the end of the HDF5 data,
// where every HDF5 library ignores it, and cuts it off when it changes the file:
//
//   cpbench crc32 0123abcd
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cpbench {

// The bytes with the checksum behind them.
std::string with_checksum(std::string bytes);

enum class Checksum : uint8_t { none, right, wrong };

// Whether `bytes` end with the checksum of what is before it.
Checksum checksum_of(std::string_view bytes);

}  // namespace cpbench
