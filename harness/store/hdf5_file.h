// A thin layer over the HDF5 C API: groups, UTF-8 text attributes, int64 / float64 / uint8 arrays
// with units, dimension scales. Nothing else may be stored, so that every reader can read it.
//
//   Hdf5Writer out("result.h5");
//   out.group("/samples");
//   out.write("/samples/seconds", seconds, {iterations, ranks}, "s");
//   write_atomically("result.h5", out.image());
//
// A file is built in memory and written by ourselves, so that a full disk is an ordinary error of
// write(2): the library cannot close a file that it failed to flush. All errors are UserErrors of
// one line that begins with the file's name.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <map>
#include <span>
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

using Extents = std::vector<int64_t>;  // {}: a scalar

class Hdf5Writer {
 public:
  explicit Hdf5Writer(std::string path);  // the path is for messages alone

  void group(const std::string& path);  // its parent must exist; remembers the order of its members
  void attribute(const std::string& object, const std::string& name, const std::string& text);
  void write(const std::string& path, std::span<const int64_t> values, const Extents& shape,
             const std::string& units);
  void write(const std::string& path, std::span<const double> values, const Extents& shape,
             const std::string& units);
  void write(const std::string& path, std::span<const uint8_t> values, const Extents& shape,
             const std::string& units);
  void scalar(const std::string& path, int64_t value, const std::string& units);
  void scalar(const std::string& path, double value, const std::string& units);
  // Makes the dataset `scale` the scale `name` of its own dimension.
  void make_scale(const std::string& scale, const std::string& name);
  void attach_scale(const std::string& dataset, int dimension, const std::string& scale);

  std::string image();  // the bytes of the whole file

 private:
  void write(const std::string& path, hid_t type, const void* data, size_t count,
             const Extents& shape, const std::string& units);
  hid_t checked(hid_t id, const std::string& what) const;
  std::string path_;
  Hdf5Id file_;
};

class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);  // reads the whole file

  const std::string& path() const { return path_; }
  bool has(const std::string& object) const;
  std::string attribute(const std::string& object, const std::string& name) const;
  std::map<std::string, std::string> attributes(const std::string& object) const;
  std::vector<std::string> members(const std::string& group) const;  // in order of creation
  // `shape` is what is expected; -1: any length. The type must be the very one.
  std::vector<int64_t> integers(const std::string& path, const Extents& shape) const;
  std::vector<double> numbers(const std::string& path, const Extents& shape) const;
  std::vector<uint8_t> bytes(const std::string& path, const Extents& shape) const;
  int64_t integer(const std::string& path) const { return integers(path, {}).front(); }
  double number(const std::string& path) const { return numbers(path, {}).front(); }

  [[noreturn]] void fail(const std::string& what) const;  // "<path>: <what>"

 private:
  template <typename T>
  std::vector<T> read(const std::string& path, const Extents& shape) const;
  Hdf5Id open(const std::string& object) const;
  std::string path_;
  Hdf5Id file_;
};

}  // namespace cpbench
