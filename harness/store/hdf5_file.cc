#include "harness/store/hdf5_file.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "harness/plan/errors.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {

constexpr hsize_t kChunkElements =
    hsize_t{64} * 1024;                  // 512 KiB of int64: one chunk fits the chunk cache
constexpr int64_t kCompressFrom = 1024;  // elements; below, the chunk index outweighs the gain
constexpr unsigned kDeflateLevel = 1;    // shuffled numbers become hardly smaller at higher levels
constexpr hsize_t kMostCompression = 1032;  // to which deflate can shrink a byte: 258 in 2 bits
constexpr size_t kMemoryGrowth = 1 << 20;   // bytes by which a file in memory grows

// The library's innermost reason, in one line.
herr_t innermost(unsigned n, const H5E_error2_t* error, void* out) {
  if (n == 0) *static_cast<std::string*>(out) = error->desc;
  return 0;
}
std::string reason() {
  std::string text = "unknown error";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &text);
  H5Eclear2(H5E_DEFAULT);
  return shown(text, kLongestSentence);
}

// The library's error stack belongs to a thread, and is printed unless this is called.
void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

hid_t text_type(size_t bytes) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes);
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

std::string shape_text(const Extents& shape) {
  std::string text;
  for (int64_t n : shape)
    text += (text.empty() ? "" : ", ") + (n == kAnyLength ? "any" : std::to_string(n));
  return "[" + text + "]";
}

template <typename T>
struct TypeOf;
template <>
struct TypeOf<int64_t> {
  static hid_t native() { return H5T_NATIVE_INT64; }
  static constexpr const char* name = "int64";
};
template <>
struct TypeOf<double> {
  static hid_t native() { return H5T_NATIVE_DOUBLE; }
  static constexpr const char* name = "float64";
};
template <>
struct TypeOf<uint8_t> {
  static hid_t native() { return H5T_NATIVE_UINT8; }
  static constexpr const char* name = "uint8";
};

}  // namespace

Hdf5Writer::Hdf5Writer(std::string path) : path_(std::move(path)) {
  silence();
  Hdf5Id driver(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(driver, kMemoryGrowth, false);
  file_ = {checked(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, driver), "new file"),
           H5Fclose};
  // Objects have the format of 1.8 and later, for attributes beyond 64 KiB. The file itself has
  // not: for a newer one that is open for writing, H5Fget_file_image of 1.10 gives a wrong
  // checksum.
  checked(H5Fset_libver_bounds(file_, H5F_LIBVER_V18, H5F_LIBVER_V18), "new file");
}

hid_t Hdf5Writer::checked(hid_t id, const std::string& what) const {
  if (id < 0) throw UserError(fmt::format("{}: cannot write {}: {}", path_, what, reason()));
  return id;
}

void Hdf5Writer::group(const std::string& path) {
  Hdf5Id properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(properties, false);  // equal results give equal files
  Hdf5Id group(checked(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), path),
               H5Gclose);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name,
                           const std::string& text) {
  const std::string what = object + "@" + name;
  Hdf5Id owner(checked(H5Oopen(file_, object.c_str(), H5P_DEFAULT), what), H5Oclose);
  Hdf5Id type(text_type(std::max<size_t>(text.size(), 1)), H5Tclose);
  Hdf5Id space(H5Screate(H5S_SCALAR), H5Sclose);
  Hdf5Id attribute(
      checked(H5Acreate2(owner, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), what),
      H5Aclose);
  checked(H5Awrite(attribute, type, text.c_str()), what);
}

template <typename T>
void Hdf5Writer::write(const std::string& path, const std::vector<T>& values, const Extents& shape,
                       const std::string& units) {
  const auto count = std::ssize(values);
  const int64_t product =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<int64_t>());
  if (product != count) {
    throw UserError(fmt::format("{}: {} has {} values, but its shape {} has {}", path_, path, count,
                                shape_text(shape), product));
  }
  std::vector<hsize_t> sizes(shape.begin(), shape.end());
  const int rank = static_cast<int>(sizes.size());
  Hdf5Id space(rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, sizes.data(), nullptr),
               H5Sclose);
  Hdf5Id properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties, false);
  if (rank > 0 && count >= kCompressFrom) {
    std::vector<hsize_t> chunk = sizes;
    hsize_t row = 1;
    for (int i = rank - 1; i >= 0; --i) {
      chunk[i] = std::clamp<hsize_t>(kChunkElements / row, 1, sizes[i]);
      row *= chunk[i];
    }
    H5Pset_chunk(properties, rank, chunk.data());
    H5Pset_shuffle(properties);
    H5Pset_deflate(properties, kDeflateLevel);
  }
  const hid_t type = TypeOf<T>::native();
  Hdf5Id dataset(
      checked(H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT),
              path),
      H5Dclose);
  if (count > 0) {
    checked(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), path);
  }
  attribute(path, "units", units);
}
template void Hdf5Writer::write(const std::string&, const std::vector<int64_t>&, const Extents&,
                                const std::string&);
template void Hdf5Writer::write(const std::string&, const std::vector<double>&, const Extents&,
                                const std::string&);
template void Hdf5Writer::write(const std::string&, const std::vector<uint8_t>&, const Extents&,
                                const std::string&);

void Hdf5Writer::make_scale(const std::string& scale, const std::string& name) {
  Hdf5Id id(checked(H5Dopen2(file_, scale.c_str(), H5P_DEFAULT), scale), H5Dclose);
  checked(H5DSset_scale(id, name.c_str()), scale);
}

void Hdf5Writer::attach_scales(const std::string& dataset, const std::vector<std::string>& scales) {
  Hdf5Id data(checked(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), dataset), H5Dclose);
  for (unsigned dimension = 0; dimension < scales.size(); ++dimension) {
    const std::string& scale = scales[dimension];
    Hdf5Id id(checked(H5Dopen2(file_, scale.c_str(), H5P_DEFAULT), scale), H5Dclose);
    checked(H5DSattach_scale(data, id, dimension), dataset);
  }
}

std::string Hdf5Writer::image() {
  checked(H5Fflush(file_, H5F_SCOPE_GLOBAL), "file");
  const ssize_t size = H5Fget_file_image(file_, nullptr, 0);
  checked(size, "file");
  std::string bytes(static_cast<size_t>(size), '\0');
  checked(H5Fget_file_image(file_, bytes.data(), bytes.size()), "file");
  return bytes;
}

Hdf5Reader::Hdf5Reader(std::string path, const std::string& bytes)
    : path_(std::move(path)), size_(bytes.size()) {
  silence();
  Hdf5Id driver(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(driver, kMemoryGrowth, false);
  H5Pset_file_image(driver, const_cast<char*>(bytes.data()), bytes.size());
  // The library takes two files in memory of one name for one file.
  static std::atomic<int64_t> opened = 0;
  const std::string name = fmt::format("{} in memory {}", path_, ++opened);
  file_ = {H5Fopen(name.c_str(), H5F_ACC_RDONLY, driver), H5Fclose};
  if (file_ < 0) fail("not an HDF5 file, or a damaged one (" + reason() + ")");
}

void Hdf5Reader::fail(const std::string& what) const {
  throw UserError(path_ + ": " + shown(what, kLongestSentence));
}

bool Hdf5Reader::has(const std::string& object) const {
  // H5Lexists requires that every part of the path exists, except for the last one.
  for (size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string part = object.substr(0, end);
    if (part != "/") {
      if (H5Lexists(file_, part.c_str(), H5P_DEFAULT) <= 0) return false;
      H5L_info_t link;
      if (H5Lget_info(file_, part.c_str(), &link, H5P_DEFAULT) < 0) return false;
      if (link.type == H5L_TYPE_EXTERNAL) fail(part + " is in another file");
    }
    if (end == std::string::npos) return true;
  }
}

Hdf5Id Hdf5Reader::open(const std::string& object) const {
  if (!has(object)) fail(object + " is missing");
  Hdf5Id id(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (id < 0) fail(object + " cannot be read: " + reason());
  return id;
}

std::string Hdf5Reader::attribute(const std::string& object, const std::string& name) const {
  const std::string what = object + "@" + name;
  Hdf5Id owner = open(object);
  if (H5Aexists(owner, name.c_str()) <= 0) fail("attribute " + what + " is missing");
  Hdf5Id attribute(H5Aopen(owner, name.c_str(), H5P_DEFAULT), H5Aclose);
  Hdf5Id type(H5Aget_type(attribute), H5Tclose);
  Hdf5Id space(H5Aget_space(attribute), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
    fail("attribute " + what + " is not a string");
  }
  if (H5Tis_variable_str(type) > 0) {  // h5py, for example, makes them
    char* text = nullptr;
    Hdf5Id memory(text_type(H5T_VARIABLE), H5Tclose);
    if (H5Aread(attribute, memory, &text) < 0 || !text) fail("attribute " + what + ": " + reason());
    std::string copy = text;
    H5free_memory(text);
    return copy;
  }
  if (H5Tget_size(type) > size_) fail("attribute " + what + " is longer than the file");
  std::string text(H5Tget_size(type), '\0');
  if (H5Aread(attribute, type, text.data()) < 0) fail("attribute " + what + ": " + reason());
  return text.substr(0, text.find('\0'));
}

std::map<std::string, std::string> Hdf5Reader::attributes(const std::string& object) const {
  std::vector<std::string> names;
  Hdf5Id owner = open(object);
  auto collect = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  if (H5Aiterate2(owner, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) {
    fail("attributes of " + object + " cannot be read: " + reason());
  }
  std::map<std::string, std::string> result;
  for (const std::string& name : names) result[name] = attribute(object, name);
  return result;
}

std::vector<std::string> Hdf5Reader::members(const std::string& group) const {
  std::vector<std::string> names;
  Hdf5Id owner = open(group);
  auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  // Other writers may not keep the order of creation.
  if (H5Literate(owner, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, collect, &names) < 0) {
    names.clear();
    if (H5Literate(owner, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) {
      fail(group + " is not a group");
    }
  }
  return names;
}

template <typename T>
std::vector<T> Hdf5Reader::read(const std::string& path, const Extents& shape) const {
  Hdf5Id dataset = open(path);
  if (H5Iget_type(dataset) != H5I_DATASET) fail(path + " is not a dataset");
  Hdf5Id stored(H5Dget_type(dataset), H5Tclose);
  Hdf5Id type(H5Tget_native_type(stored, H5T_DIR_DEFAULT), H5Tclose);
  if (H5Tequal(type, TypeOf<T>::native()) <= 0) {
    fail(fmt::format("{} is not of type {}", path, TypeOf<T>::name));
  }
  Hdf5Id layout(H5Dget_create_plist(dataset), H5Pclose);
  if (H5Pget_layout(layout) == H5D_VIRTUAL || H5Pget_external_count(layout) > 0) {
    fail(path + " has its values in another file");
  }
  Hdf5Id space(H5Dget_space(dataset), H5Sclose);
  if (H5Sget_simple_extent_type(space) == H5S_NULL) fail(path + " has no value");
  std::vector<hsize_t> sizes(std::max(H5Sget_simple_extent_ndims(space), 0));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  const Extents found(sizes.begin(), sizes.end());
  bool same = found.size() == shape.size();
  for (size_t i = 0; same && i < shape.size(); ++i)
    same = shape[i] == kAnyLength || shape[i] == found[i];
  if (!same) {
    fail(fmt::format("{} has shape {}, expected {}", path, shape_text(found), shape_text(shape)));
  }
  const hsize_t most = size_ * kMostCompression / sizeof(T);
  hsize_t count = 1;
  for (hsize_t size : sizes) {
    if (size > 0 && count > most / size) {
      fail(fmt::format("{} has shape {}, which is more than a file of {} bytes can hold", path,
                       shape_text(found), size_));
    }
    count *= size;
  }
  std::vector<T> values(count);
  if (!values.empty() &&
      H5Dread(dataset, TypeOf<T>::native(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    fail(path + " cannot be read: " + reason());
  }
  return values;
}

template std::vector<int64_t> Hdf5Reader::read(const std::string&, const Extents&) const;
template std::vector<double> Hdf5Reader::read(const std::string&, const Extents&) const;
template std::vector<uint8_t> Hdf5Reader::read(const std::string&, const Extents&) const;

}  // namespace cpbench
