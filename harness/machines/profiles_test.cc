#include "harness/machines/profiles.h"

#include <gtest/gtest.h>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

TEST(ProfilesTest, EveryShippedProfileIsComplete) {
  const std::vector<Profile> profiles = list_profiles();
  EXPECT_GE(profiles.size(), 2u);
  for (const Profile& profile : profiles) {
    EXPECT_FALSE(profile.description.empty()) << profile.name;
    EXPECT_FALSE(profile.source.empty()) << profile.name;
  }
}

TEST(ProfilesTest, IdealIsTheDefault) {
  const Profile ideal = find_profile("ideal");
  const Profile none{.name = ideal.name, .description = ideal.description, .source = ideal.source};
  EXPECT_EQ(profile_toml(ideal), profile_toml(none));
}

TEST(ProfilesTest, EveryKeyIsRead) {
  TestFile file("mine.toml",
                "description = \"d\"\nsource = \"s\"\ncopies_by_slices = true\n"
                "slice_microseconds = 2\nlayout_passes = 3\ncopy_efficiency = 0.5\n"
                "merge_bytes_per_element = 20\nexchange_microseconds = 700\nreserved_sms = 8\n"
                "forward_call_launches = 9\nbackward_call_launches = 18.5\nmerge_launches = 3\n"
                "launch_host_microseconds = 4\nslice_host_microseconds = 5\n"
                "graph_microseconds = 6\n"
                "substage_barrier = true\noperands_kept = true\nmerges_by_segments = true\n"
                "library_results = false\nbackward_layout_passes = 4\n"
                "forward_query_copies = 1\nforward_key_copies = 2\n"
                "backward_query_copies = 3\nbackward_key_copies = 4\ncollective_sms = 24\n"
                "buffers = 3\nsm_margin = 6\nmulticast_per_node = true\n[sources]\nsm_margin = \"a "
                "paper\"\n");
  const Profile p = find_profile(file.path());
  EXPECT_EQ(p.name, "mine");
  EXPECT_EQ(p.description + p.source, "ds");
  EXPECT_TRUE(p.copies_by_slices && p.substage_barrier);
  EXPECT_TRUE(p.operands_kept && p.merges_by_segments && !p.library_results);
  EXPECT_EQ(p.backward_layout_passes, 4);
  EXPECT_EQ(p.forward_query_copies, 1);
  EXPECT_EQ(p.forward_key_copies, 2);
  EXPECT_EQ(p.backward_query_copies, 3);
  EXPECT_EQ(p.backward_key_copies, 4);
  EXPECT_DOUBLE_EQ(p.slice_seconds, 2e-6);
  EXPECT_EQ(p.layout_passes, 3);
  EXPECT_EQ(p.copy_efficiency, 0.5);
  EXPECT_EQ(p.merge_bytes, 20);
  EXPECT_DOUBLE_EQ(p.exchange_seconds, 7e-4);
  EXPECT_EQ(p.forward_call_launches, 9);
  EXPECT_EQ(p.backward_call_launches, 18.5);
  EXPECT_EQ(p.merge_launches, 3);
  EXPECT_DOUBLE_EQ(p.launch_host_seconds, 4e-6);
  EXPECT_DOUBLE_EQ(p.slice_host_seconds, 5e-6);
  EXPECT_DOUBLE_EQ(p.graph_seconds, 6e-6);
  EXPECT_EQ(p.reserved_sms, 8);
  EXPECT_EQ(p.collective_sms, 24);
  EXPECT_EQ(p.sm_margin, 6);
  EXPECT_EQ(p.buffers, 3);
  EXPECT_TRUE(p.multicast_per_node);
}

TEST(ProfilesTest, TheOldNameWorks) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(find_profile("paper-eager").name, "flashcp-paper");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("flashcp-paper"), std::string::npos);
}

TEST(ProfilesTest, AValueWithoutASourceIsAnAssumption) {
  const Profile profile =
      parse_profile({"mine", "mine.toml",
                     "source = \"s\"\nsm_margin = 6\nlayout_passes = 2\ncopy_efficiency = 1\n"
                     "[sources]\nsm_margin = \"a paper\"\n"});
  const std::vector<ProfileValue> values = values_of(profile);
  ASSERT_EQ(values.size(), 2u);  // not those of ideal
  EXPECT_EQ(values[0].text, "layout_passes = 2");
  EXPECT_EQ(values[0].source, "");
  EXPECT_EQ(values[1].text, "sm_margin = 6");
  EXPECT_EQ(values[1].source, "a paper");
}

TEST(ProfilesTest, EveryValueOfAShippedProfileHasASourceOrIsSaidToBeAssumed) {
  for (const Profile& profile : list_profiles()) {
    for (const ProfileValue& value : values_of(profile)) {
      const bool assumed =
          value.key == "launch_host_microseconds" ||
          (profile.name == "flashcp-paper" && value.key == "exchange_microseconds");
      EXPECT_EQ(value.source.empty(), assumed) << profile.name << ": " << value.key;
    }
  }
}

TEST(ProfilesTest, WhatIsWrittenIsReadBack) {
  for (const Profile& profile : list_profiles()) {
    const std::string text = profile_toml(profile);
    const Profile again = parse_profile({profile.name, "again", text});
    EXPECT_EQ(profile_toml(again), text);
    EXPECT_EQ(again.merge_bytes, profile.merge_bytes);
    EXPECT_EQ(again.copies_by_slices, profile.copies_by_slices);
  }
}

TEST(ProfilesTest, BadFilesNameLineAndKey) {
  const auto refused = [](const std::string& text) {
    return error_of([&] { parse_profile({"mine", "mine.toml", text}); });
  };
  EXPECT_EQ(refused(""), "");
  EXPECT_EQ(refused("layout_pass = 1\n"),
            "mine.toml:1: unknown key 'layout_pass'; did you mean 'layout_passes'?");
  EXPECT_EQ(refused("layout_passes = -1\n"),
            "mine.toml:1: 'layout_passes' must be a number from 0 to 1000");
  EXPECT_EQ(refused("copy_efficiency = 1.5\n"),
            "mine.toml:1: 'copy_efficiency' must be a number above 0 and at most 1");
  EXPECT_EQ(refused("\nsubstage_barrier = 1\n"),
            "mine.toml:2: 'substage_barrier' must be true or false");
  EXPECT_EQ(refused("reserved_sms = -1\n"),
            "mine.toml:1: 'reserved_sms' must be a whole number from 0 to 2147483647");
  EXPECT_EQ(refused("sources = 1\n"), "mine.toml:1: 'sources' must be a table [sources]");
  EXPECT_EQ(refused("[sources]\nsm_margin = \"s\"\n"),
            "mine.toml:2: [sources] has 'sm_margin', but the file has no value for it");
  EXPECT_EQ(refused("sm_margin = 1\n[sources]\nsm_margins = \"s\"\n"),
            "mine.toml:3: unknown key 'sm_margins'; did you mean 'sm_margin'?");
  EXPECT_EQ(refused("sm_margin = 1\n[sources]\nsm_margin = 3\n"),
            "mine.toml:3: 'sm_margin' must be a string");
  EXPECT_EQ(error_of([] { find_profile("ideel"); }),
            "unknown profile 'ideel'; did you mean 'ideal'?");
  EXPECT_EQ(error_of([] { find_profile("./none.toml"); }),
            "cannot read the profile file './none.toml': it does not exist");
}

}  // namespace
}  // namespace cpbench
