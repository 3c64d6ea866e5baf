#include "harness/store/file_kind.h"

#include <fmt/format.h>

#include "harness/store/result_file.h"

namespace cpbench {
namespace {

std::string major(const std::string& version) { return version.substr(0, version.find('.')); }

}  // namespace

void write_kind(Hdf5Writer& file, const std::string& kind) {
  file.attribute("/", "kind", kind);
  file.attribute("/", "schema_version", kSchemaVersion);
}

std::string read_kind(const Hdf5Reader& file) {
  const auto attributes = file.attributes("/");
  const auto kind = attributes.find("kind"), version = attributes.find("schema_version");
  if (kind == attributes.end() || version == attributes.end() ||
      (kind->second != kResultKind && kind->second != kPlanKind && kind->second != kHistoryKind)) {
    file.fail(
        "is an HDF5 file, but not one of cpbench: it has no kind and schema_version at its root");
  }
  if (major(version->second) != major(kSchemaVersion)) {
    file.fail(fmt::format("has schema version {}; this cpbench reads {}.x", version->second,
                          major(kSchemaVersion)));
  }
  return kind->second;
}

}  // namespace cpbench
