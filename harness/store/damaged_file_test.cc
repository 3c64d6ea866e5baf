// Files that were damaged, cut, or made to do harm. Reading never crashes, and never returns other
// numbers than were written as long as the file has its checksum.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "harness/plan/errors.h"
#include "harness/store/checksum.h"
#include "harness/store/plan_file.h"
#include "harness/store/result_file.h"
#include "harness/store/safe_read.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string without_checksum(const std::string& bytes) {
  return bytes.substr(0, bytes.size() - with_checksum("").size());
}

std::string flipped(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  return bytes;
}

// The message, or "" if the file was read; every message names the file.
template <typename Read>
std::string error_of(Read read, const std::string& path) {
  try {
    read(path);
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

class DamagedFile : public testing::Test {
 protected:
  DamagedFile() {
    write_result(path_, sample_result({.ranks = 2, .packs = 1}));
    whole_ = bytes_of(path_);
  }
  // The file is refused, or holds what was written.
  void expect_harmless(const std::string& bytes) {
    put(path_, bytes);
    if (!error_of(read_result, path_).empty()) return;
    write_result(path_, read_result(path_));
    EXPECT_EQ(bytes_of(path_), whole_);
  }
  TemporaryFolder folder_;
  std::string path_ = folder_ / "a.h5";
  std::string whole_;
};

TEST_F(DamagedFile, EveryFlippedBitIsFound) {
  const std::string content = without_checksum(whole_);
  ASSERT_EQ(checksum_of(whole_), Checksum::right);
  ASSERT_EQ(checksum_of(content), Checksum::none);
  const size_t step = 8 * whole_.size() / 500 | 1;  // odd, so that every bit of a byte is met
  for (size_t bit = 0; bit < 8 * content.size(); bit += step) {
    EXPECT_EQ(checksum_of(flipped(whole_, bit)), Checksum::wrong) << bit;
  }
  put(path_, flipped(whole_, 8 * content.size() / 2));
  EXPECT_EQ(error_of(read_result, path_),
            path_ + ": is damaged: its checksum does not match its content");
  EXPECT_EQ(error_of(load_plan_file, path_), error_of(read_result, path_));
  // Within the checksum.
  for (size_t byte : {size_t{1}, size_t{5}, size_t{20}}) {
    expect_harmless(flipped(whole_, 8 * (content.size() + byte)));
  }
}

TEST_F(DamagedFile, CutAndExtendedFilesAreHarmless) {
  const size_t content = without_checksum(whole_).size();
  for (size_t keep = 0; keep < content; keep += content / 6) {
    put(path_, whole_.substr(0, keep));
    EXPECT_NE(error_of(read_result, path_), "") << keep;
  }
  put(path_, whole_.substr(0, content - 1));
  EXPECT_NE(error_of(read_result, path_), "");
  for (size_t keep : {content, content + 5, whole_.size() - 1}) {
    expect_harmless(whole_.substr(0, keep));
  }
  expect_harmless(whole_ + "rubbish");
}

// The HDF5 library itself crashes on some of these.
TEST_F(DamagedFile, FlippedBitsOfAFileWithoutChecksumEndOnlyTheChild) {
  const std::string content = without_checksum(whole_);
  size_t refused = 0;
  for (size_t i = 1; i <= 24; ++i) {
    put(path_, flipped(content, i * 8 * content.size() / 25 + i % 8));
    refused += error_of(read_result, path_).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 0u);
}

TEST(CleanCopy, DeathsAndExceptionsAreErrors) {
  const auto error = [](const std::function<std::string()>& make) {
    return error_of([&](const std::string& path) { return clean_copy(path, make); }, "a.h5");
  };
  EXPECT_EQ(clean_copy("a.h5", [] { return std::string(1'000'000, 'x'); }),
            std::string(1'000'000, 'x'));
  EXPECT_EQ(error([]() -> std::string { throw UserError("a.h5: is bad"); }), "a.h5: is bad");
  EXPECT_EQ(error([]() -> std::string { throw std::out_of_range("far"); }),
            "a.h5: is damaged: far");
  EXPECT_EQ(error([]() -> std::string { std::abort(); }),
            "a.h5: is damaged: its reader was ended by signal 6 (Aborted)");
#ifndef __SANITIZE_ADDRESS__  // whose allocator ends the process instead of throwing
  EXPECT_EQ(error([] { return std::string(size_t{5} << 30, 'x'); }),
            "a.h5: is damaged: reading it requires too much memory");
#endif
}

// Sizes that the file states are compared with what it can hold before anything is allocated.
TEST(HostileFile, MoreValuesThanTheFileCanHoldAreRefused) {
  TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  const Hdf5Id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  for (const auto& [name, shape] :
       {std::pair("/large", std::vector<hsize_t>{800'000'000}),
        std::pair("/wraps", std::vector<hsize_t>{hsize_t{1} << 32, hsize_t{1} << 32})}) {
    const Hdf5Id space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                       H5Sclose);
    const Hdf5Id chunks(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(chunks, static_cast<int>(shape.size()), std::vector<hsize_t>(2, 1024).data());
    const Hdf5Id data(
        H5Dcreate2(file, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, chunks, H5P_DEFAULT),
        H5Dclose);
  }
  const Hdf5Id none(H5Screate(H5S_NULL), H5Sclose);
  const Hdf5Id empty(
      H5Dcreate2(file, "/none", H5T_NATIVE_INT64, none, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  H5Lcreate_external("/etc/other.h5", "/x", file, "/link", H5P_DEFAULT, H5P_DEFAULT);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  const Hdf5Reader reader("a.h5", bytes_of(path));
  const auto error = [&](const std::string& object, const Extents& shape) {
    return error_of([&](const std::string&) { reader.read<int64_t>(object, shape); }, "a.h5");
  };
  EXPECT_NE(error("/large", {kAnyLength}).find("has shape [800000000], which is more than"),
            std::string::npos);
  EXPECT_NE(error("/wraps", {kAnyLength, kAnyLength}).find("which is more than"),
            std::string::npos);
  EXPECT_EQ(error("/none", {}), "a.h5: /none has no value");
  EXPECT_EQ(error("/link", {}), "a.h5: /link is in another file");
}

TEST(HostileFile, ANamedPipeIsNotWaitedFor) {
  TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_NE(error_of(read_result, path).find("it is a pipe"), std::string::npos);
}

}  // namespace
}  // namespace cpbench
