// A thin layer over the C interface of HDF5: groups, UTF-8 text attributes, arrays of int64,
// float64 or uint8 with units, and dimension scales. Nothing else is stored, so that every reader
// can read it.
//
//   Hdf5Writer out("result.h5");
//   out.group("/samples");
//   out.write("/samples/seconds", seconds, {iterations, ranks}, "s");
//   write_atomically("result.h5", with_checksum(out.image()));
//   Hdf5Reader in("result.h5", read_input("result file", "result.h5", kMostFileBytes));
//
// A file is built in memory and then written by write_atomically, so that a full disk is an
// ordinary error of write(2): the library cannot close a file that it failed to flush. All errors
// are UserErrors of one line that begins with the file's name.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cpbench {

// An HDF5 identifier that closes itself.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Id() = default;
  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& other) noexcept { swap(other); }
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }

 private:
  void swap(Hdf5Id& other) {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
  }
  hid_t id_ = -1;
  Close close_ = nullptr;
};

using Extents = std::vector<int64_t>;      // {}: a scalar
inline constexpr int64_t kAnyLength = -1;  // in the extents that a reader expects

// `T` below is int64_t, double or uint8_t.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(std::string path);  // the path is only for messages

  void group(const std::string& path);  // its parent must exist; keeps the order of its members
  void attribute(const std::string& object, const std::string& name, const std::string& text);
  template <typename T>
  void write(const std::string& path, const std::vector<T>& values, const Extents& shape,
             const std::string& units);
  template <typename T>
  void scalar(const std::string& path, T value, const std::string& units) {
    write(path, std::vector<T>{value}, {}, units);
  }
  // Makes the dataset `scale` the scale `name` of its own dimension.
  void make_scale(const std::string& scale, const std::string& name);
  // One scale for each dimension.
  void attach_scales(const std::string& dataset, const std::vector<std::string>& scales);

  std::string image();  // the bytes of the whole file

 private:
  hid_t checked(hid_t id, const std::string& what) const;
  std::string path_;
  size_t size_;  // of the file, in bytes
  Hdf5Id file_;
};

// Objects and values that the file refers to in other files are refused, and so are more values
// than a file of its size can hold.
class Hdf5Reader {
 public:
  // `bytes` are the whole file; the path is only for messages.
  Hdf5Reader(std::string path, const std::string& bytes);
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  bool has(const std::string& object) const;
  std::string attribute(const std::string& object, const std::string& name) const;
  std::map<std::string, std::string> attributes(const std::string& object) const;
  std::vector<std::string> members(const std::string& group) const;  // in order of creation
  // `shape` is the expected one. The stored type must be exactly T.
  template <typename T>
  std::vector<T> read(const std::string& path, const Extents& shape) const;
  template <typename T>
  T scalar(const std::string& path) const {
    return read<T>(path, {}).front();
  }

  [[noreturn]] void fail(const std::string& what) const;  // "<path>: <what>"

 private:
  Hdf5Id open(const std::string& object) const;
  std::string path_;
  size_t size_;  // of the file, in bytes
  Hdf5Id file_;
};

}  // namespace cpbench
