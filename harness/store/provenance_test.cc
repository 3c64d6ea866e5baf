#include "harness/store/provenance.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <regex>

namespace cpbench {
namespace {

using std::chrono::seconds;
using Time = std::chrono::system_clock::time_point;

TEST(Provenance, SaysWhatBuiltAndRanIt) {
  setenv("OMP_NUM_THREADS", "3", 1);
  setenv("CPBENCH_SECRET_TOKEN", "hidden", 1);
  auto p = provenance({"cpbench", "run", "a b", "it's", ""}, Time(seconds(0)),
                      Time(seconds(86'400 + 61)));
  EXPECT_EQ(p["command_line"], "cpbench run 'a b' 'it'\\''s' ''");
  EXPECT_EQ(p["start_utc"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(p["end_utc"], "1970-01-02T00:01:01Z");
  EXPECT_TRUE(std::regex_match(p["git_sha"], std::regex("[0-9a-f]{40}|unknown"))) << p["git_sha"];
  EXPECT_TRUE(std::regex_match(p["git_dirty"], std::regex("yes|no|unknown")));
  EXPECT_TRUE(std::regex_match(p["hdf5"], std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
  EXPECT_TRUE(std::regex_match(p["machine"], std::regex("[0-9a-f]{16}")));
  EXPECT_GT(std::stoi(p["cores"]), 0);
  EXPECT_EQ(p["cuda"], "none");
  EXPECT_EQ(p["debug_build"], is_debug_build() ? "yes" : "no");
  EXPECT_NE(p["environment"].find("OMP_NUM_THREADS=3"), std::string::npos);
  for (const auto& [key, text] : p) {
    EXPECT_EQ(text.find("hidden"), std::string::npos) << key;
    EXPECT_TRUE(key == "environment" || !text.empty()) << key;
  }
}

TEST(Provenance, TheMachineIsTheSameEachTime) {
  EXPECT_EQ(provenance({}, {}, {})["machine"], provenance({}, {}, {})["machine"]);
}

}  // namespace
}  // namespace cpbench
