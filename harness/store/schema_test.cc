// Compares results/SCHEMA.md with the writer: each object that is written has a row with the right
// type, shape and units, and each row is written.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "harness/source_tree/source_tree.h"
#include "harness/store/hdf5_file.h"
#include "harness/store/plan_file.h"
#include "harness/store/provenance.h"
#include "harness/store/result_file.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

struct Row {
  std::string type;
  int dimensions = 0;
  std::string units;
};
using Table = std::map<std::string, Row>;

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" `"));
  text.erase(text.find_last_not_of(" `") + 1);
  return text;
}

Table schema() {
  Table table;
  std::ifstream in(source_tree() / "results/SCHEMA.md");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `/")) continue;
    std::vector<std::string> columns;
    std::istringstream parts(line.substr(1));
    for (std::string column; std::getline(parts, column, '|');) columns.push_back(trimmed(column));
    const std::string& shape = columns.at(2);
    const int commas = static_cast<int>(std::count(shape.begin(), shape.end(), ','));
    const int dimensions = shape.empty() || shape == "[]" ? 0 : commas + 1;
    EXPECT_TRUE(table.emplace(columns.at(0), Row{columns.at(1), dimensions, columns.at(3)}).second)
        << columns.at(0) << " is there twice";
  }
  return table;
}

std::string type_name(hid_t type) {
  const size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return (H5Tget_sign(type) == H5T_SGN_2 ? "int" : "uint") + std::to_string(8 * size);
    case H5T_FLOAT:
      return "float" + std::to_string(8 * size);
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0         ? "vlen text"
             : H5Tget_cset(type) == H5T_CSET_UTF8 ? "utf8"
                                                  : "ascii";
    default:
      return "class " + std::to_string(H5Tget_class(type));
  }
}

// As the schema writes it: packs, passes, metrics and properties are placeholders.
std::string general(std::string path) {
  path = std::regex_replace(path, std::regex("^/pack_[0-9]+"), "/pack_<p>");
  path = std::regex_replace(path, std::regex("/(forward|backward)(?=[/@])"), "/<pass>");
  path = std::regex_replace(path, std::regex("/properties/[a-z_]+"), "/properties/<property>");
  return std::regex_replace(path, std::regex("^/metrics/[a-z_]+"), "/metrics/<metric>");
}

// Everything in a file except groups and what the library stores for dimension scales.
Table contents(const std::string& path) {
  Table table;
  static const std::set<std::string> kScales = {"CLASS", "NAME", "DIMENSION_LIST",
                                                "REFERENCE_LIST"};
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  auto visit = [](hid_t root, const char* name, const H5O_info_t* info, void* out) -> herr_t {
    Table& table = *static_cast<Table*>(out);
    Hdf5Id object(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
    const std::string path = std::string(name) == "." ? "/" : std::string("/") + name;
    std::string units;
    for (hsize_t i = 0; i < info->num_attrs; ++i) {
      Hdf5Id attribute(
          H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
          H5Aclose);
      char attribute_name[256];
      H5Aget_name(attribute, sizeof attribute_name, attribute_name);
      if (kScales.contains(attribute_name)) continue;
      Hdf5Id type(H5Aget_type(attribute), H5Tclose);
      if (std::string(attribute_name) == "units") {
        EXPECT_EQ(type_name(type), "utf8") << path;
        std::string text(H5Tget_size(type), '\0');
        H5Aread(attribute, type, text.data());
        units = text;
      } else {
        table[general(path + "@" + attribute_name)] = {type_name(type), 0, ""};
      }
    }
    if (info->type != H5O_TYPE_DATASET) return 0;
    Hdf5Id type(H5Dget_type(object), H5Tclose);
    Hdf5Id space(H5Dget_space(object), H5Sclose);
    EXPECT_NE(units, "") << path << " has no units";
    table[general(path)] = {type_name(type), H5Sget_simple_extent_ndims(space), units};
    return 0;
  };
  EXPECT_GE(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &table, H5O_INFO_ALL), 0);
  return table;
}

Result whole_result() {
  Result result = sample_result({.strategy = "allgather"});
  result.provenance = provenance({"cpbench", "run"}, {}, {});
  // Attributes that are left out of runs where they do not apply.
  result.spec.min_ctas = result.spec.max_ctas = result.spec.sm_margin = 8;
  result.spec.cta_policy = "efficiency";
  result.spec.layer = "module";
  result.spec.plan_for = "sum";
  result.spec.shape.attention_sinks = true;
  result.spec.shape.latent_size = result.spec.shape.latent_rope_size = 8;
  return result;
}

TEST(Schema, WriterAndDocumentAgreeBothWays) {
  TemporaryFolder folder;
  write_result(folder / "a.h5", whole_result());
  const Table documented = schema(), written = contents(folder / "a.h5");
  ASSERT_GT(documented.size(), 100u);
  for (const auto& [path, row] : written) {
    const auto known = documented.find(path);
    if (known == documented.end()) {
      ADD_FAILURE() << path << " is written but not documented";
      continue;
    }
    EXPECT_EQ(row.type, known->second.type) << path;
    EXPECT_EQ(row.dimensions, known->second.dimensions) << path;
    const bool any_units = known->second.units == "*";
    EXPECT_EQ(any_units ? "*" : row.units, known->second.units) << path;
  }
  for (const auto& [path, row] : documented) {
    EXPECT_TRUE(written.contains(path)) << path << " is documented but not written";
  }
}

TEST(Schema, APlanFileIsOnePackAtTheRoot) {
  TemporaryFolder folder;
  const Result result = whole_result();
  save_plan_file(folder / "plan.h5",
                 {problem_of(result, result.packs[0].batch), result.packs[0].plan});
  const Table documented = schema();
  for (const auto& [path, row] : contents(folder / "plan.h5")) {
    if (path == "/@kind" || path == "/@schema_version") continue;
    const auto known = documented.find("/pack_<p>" + path);
    ASSERT_NE(known, documented.end()) << path;
    EXPECT_EQ(row.type, known->second.type) << path;
    EXPECT_EQ(row.units, known->second.units) << path;
  }
}

TEST(Schema, VersionsAgree) {
  const std::string text = bytes_of(source_tree() / "results/SCHEMA.md");
  EXPECT_NE(text.find("schema version " + std::string(kSchemaVersion)), std::string::npos);
}

}  // namespace
}  // namespace cpbench
