#include "workloads/given_packs.h"

#include <gtest/gtest.h>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

Batch pack_of(const std::string& text) {
  const std::vector<Batch> packs = make_packs(*find_workload(text), {.tokens = 10, .packs = 2});
  EXPECT_EQ(packs.front(), packs.back());
  return packs.front();
}

TEST(GivenPacks, DocumentsAreLiteral) {
  EXPECT_EQ(pack_of("docs:37,51,40"), (Batch{{37, 51, 40}}));
  EXPECT_EQ(pack_of("docs:16,24,0,0"), (Batch{{16, 24, 0, 0}}));
  EXPECT_EQ(pack_of("docs:3,pad=1,2,pad=2"),
            (Batch{.document_lengths = {3, 1, 2, 2}, .cached_tokens = {0, 1, 0, 2}}));
  EXPECT_EQ(error_of([] { pack_of("docs:4,,5"); }),
            "workload 'docs:4,,5': '' is not a valid size; write digits with an optional K or M, "
            "like 8192 or 8K");
  EXPECT_EQ(error_of([] { pack_of("docs:0"); }), "workload 'docs:0': no document has tokens");
}

TEST(GivenPacks, TreesArePromptsWithCompletions) {
  EXPECT_EQ(pack_of("tree:prompt=2K,completions=2,length=10"),
            (Batch{.document_lengths = {2048, 10, 10}, .parents = {-1, 0, 0}}));
  EXPECT_EQ(pack_of("tree:prompt=5,completions=1,length=3,trees=2"),
            (Batch{.document_lengths = {5, 3, 5, 3}, .parents = {-1, 0, -1, 2}}));
  EXPECT_EQ(pack_of("tree").tokens(), 10 * 1024);
  EXPECT_EQ(error_of([] { pack_of("tree:prompts=2"); }),
            "workload 'tree:prompts=2': unknown parameter 'prompts'; did you mean 'prompt'?");
}

TEST(GivenPacks, FilesHaveParentsAndRules) {
  const TestFile file("pack.json", R"([{"length": 20, "rule": "prefix:4"},
    {"length": 7, "parent": 0}, {"length": 0}, {"length": 9, "parent": 1, "cached": 3},
    {"length": 2, "rule": "pad"}])");
  EXPECT_EQ(pack_of(file.path()), (Batch{.document_lengths = {20, 7, 0, 9, 2},
                                         .cached_tokens = {0, 0, 0, 3, 2},
                                         .parents = {-1, 0, -1, 1, -1},
                                         .rules = {{Mask::prefix, 4}, {}, {}, {}, {}}}));
}

TEST(GivenPacks, BadFilesAreRefused) {
  const auto refusal = [](const char* text) {
    const TestFile file("pack.json", text);
    const std::string error = error_of([&] { pack_of(file.path()); });
    return error.substr(error.find("': ") + 3);
  };
  EXPECT_EQ(refusal("{}"), "it must be a JSON list of documents, like [{\"length\": 512}]");
  EXPECT_EQ(refusal("[3]"), "document 0 must be an object like {\"length\": 512}");
  EXPECT_EQ(refusal("[{}]"), "document 0 has no length");
  EXPECT_EQ(refusal(R"([{"length": -1}])"),
            "document 0: length is -1; must be a whole number from 0 to 2147483648");
  EXPECT_EQ(refusal(R"([{"length": 1}, {"length": 1, "parent": 1}])"),
            "document 1: parent is 1; must be a whole number from -1 to 0");
  EXPECT_EQ(refusal(R"([{"length": 1, "parents": 1}])"),
            "document 0: unknown key 'parents'; did you mean 'parent'?");
  EXPECT_EQ(refusal(R"([{"length": 1, "rule": "chunkd"}])"),
            "document 0: rule: unknown mask 'chunkd'; did you mean 'chunked'?");
  EXPECT_EQ(
      refusal(R"([{"length": 1, "rule": "causal"}])"),
      "document 0: rule: 'causal' is not a rule of one document; write \"pad\" or a mask like "
      "\"document_full\" or \"chunked:256\"");
  EXPECT_EQ(refusal(R"([{"length": 18446744073709551615}])"),
            "document 0: length is 18446744073709551615; must be a whole number from 0 to "
            "2147483648");
}

}  // namespace
}  // namespace cpbench
