#include "workloads/read_lengths.h"

#include <gtest/gtest.h>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

using Lengths = std::vector<int64_t>;

std::string little_endian(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

FileLengths documents(const std::string& name, const std::string& bytes,
                      const std::string& field = "") {
  TestFile file(name, bytes);
  return read_lengths(file.path() + field);
}

Lengths read(const std::string& name, const std::string& bytes, const std::string& field = "") {
  const FileLengths found = documents(name, bytes, field);
  EXPECT_EQ(found.skipped, 0);
  return found.lengths;
}

// The refusal, without the folder of the file.
std::string refused(const std::string& name, const std::string& bytes,
                    const std::string& field = "") {
  TestFile file(name, bytes);
  std::string message = error_of([&] { read_lengths(file.path() + field); });
  size_t folder = message.find(file.path());
  if (folder == std::string::npos) return message;
  return message.erase(folder, file.path().size() - name.size());
}

TEST(ReadLengthsTest, TextAndCsv) {
  EXPECT_EQ(read("a.txt", "5\n1\n300\n"), Lengths({5, 1, 300}));
  EXPECT_EQ(read("a.csv", "tokens\n5\n\n7"), Lengths({5, 7}));
  EXPECT_EQ(read("lengths", "\xEF\xBB\xBFtokens\r\n5\r\n 7 \r\n"), Lengths({5, 7}));
  EXPECT_EQ(read("a.csv", "id,tokens\nx,5\ny,7\n", "#tokens"), Lengths({5, 7}));
  EXPECT_EQ(read("a.txt", "+5\n+7\n"), Lengths({5, 7}));
}

TEST(ReadLengthsTest, BadTextNamesTheLine) {
  const std::string must = "must be a whole number from 0 to 2147483648";
  EXPECT_EQ(refused("a.txt", "+-5\n"), "a.txt:1: '+-5' is not a valid length; " + must);
  EXPECT_EQ(refused("a.txt", "-3\n"), "a.txt:1: '-3' is not a valid length; " + must);
  EXPECT_EQ(refused("a.txt", "tokens\n5\n\nfive\n"),
            "a.txt:4: 'five' is not a valid length; " + must);
  EXPECT_EQ(refused("a.txt", "12.5\n"), "a.txt:1: '12.5' is not a valid length; " + must);
  EXPECT_EQ(refused("a.txt", "2147483649\n"),
            "a.txt:1: '2147483649' is not a valid length; " + must);
  EXPECT_EQ(refused("a.txt", "99999999999999999999\n"),
            "a.txt:1: '99999999999999999999' is not a valid length; " + must);
  EXPECT_EQ(refused("a.csv", "id,tokens\nx,5\n"),
            "a.csv:1: there are several columns (id, tokens); name one as in 'file.csv#id'");
  EXPECT_EQ(refused("a.csv", "id,tokens\nx,5\n", "#token"),
            "a.csv:1: unknown column 'token'; did you mean 'tokens'?");
  EXPECT_EQ(refused("a.csv", "5,6\n"),
            "a.csv:1: there are 2 columns and no header; must be one length per line, or a header "
            "and 'file.csv#column'");
  EXPECT_EQ(refused("a.csv", "5\n", "#tokens"),
            "a.csv:1: there is no header, so there is no column 'tokens'");
  EXPECT_EQ(refused("a.csv", "id,tokens\nx,5\ny\n", "#tokens"),
            "a.csv:3: there are 1 fields, but the first line has 2");
  EXPECT_EQ(refused("a.txt", ""), "'a.txt' has no lengths");
  EXPECT_EQ(refused("a.txt", "tokens\n"), "'a.txt' has no lengths");
}

TEST(ReadLengthsTest, Jsonl) {
  EXPECT_EQ(read("a.jsonl", "{\"length\": 5}\n{\"length\": 7, \"id\": 1}\n"), Lengths({5, 7}));
  EXPECT_EQ(read("a.jsonl", "{\"ids\": [3, 1, 2]}\n\n{\"ids\": [0]}\n", "#ids"), Lengths({3, 1}));
  EXPECT_EQ(read("a.jsonl", "{\"text\": \" two  words\\n\"}", "#text:words"), Lengths({2}));
}

TEST(ReadLengthsTest, BadJsonlNamesTheLineAndTheField) {
  EXPECT_EQ(refused("a.jsonl", "{\"length\": 5}\n{\"length\": \n"),
            "a.jsonl:2: the line must be one JSON object");
  EXPECT_EQ(refused("a.jsonl", "5\n"), "a.jsonl:1: the line must be one JSON object");
  EXPECT_EQ(refused("a.jsonl", "{\"id\": 5, \"text\": \"a\"}\n"),
            "a.jsonl:1: there is no field 'length', only id, text; name one as in "
            "'file.jsonl#input_ids'");
  EXPECT_EQ(refused("a.jsonl", "{\"text\": \"a b\"}\n", "#text"),
            "a.jsonl:1: 'text' is a string; '#text:words' counts its words, as an estimate of its "
            "tokens");
  EXPECT_EQ(refused("a.jsonl", "{\"text\": [1]}\n", "#text:words"),
            "a.jsonl:1: 'text' must be a string, so that it has words");
  EXPECT_EQ(refused("a.jsonl", "{\"length\": 1.5}\n"),
            "a.jsonl:1: 'length' must be a whole number, an array or a string");
  EXPECT_EQ(refused("a.jsonl", "{\"length\": 1}\n{\"length\": -1}\n"),
            "a.jsonl:2: the length of 'length' is -1; must be from 0 to 2147483648");
}

std::string npy(int version, const std::string& descr, const std::string& shape,
                const std::string& data) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
  return std::string("\x93NUMPY") + little_endian(version, 1) + little_endian(0, 1) +
         little_endian(header.size(), version == 1 ? 2 : 4) + header + data;
}

TEST(ReadLengthsTest, Npy) {
  EXPECT_EQ(read("a.npy", npy(1, "<i8", "2,", little_endian(5, 8) + little_endian(700, 8))),
            Lengths({5, 700}));
  EXPECT_EQ(read("a.npy", npy(2, "<i4", "1,", little_endian(70000, 4))), Lengths({70000}));
  EXPECT_EQ(read("a.npy", npy(3, "<u2", "1,", little_endian(65535, 2))), Lengths({65535}));
  EXPECT_EQ(read("a.npy", npy(1, "|u1", "2,", "\x01\xff")), Lengths({1, 255}));
}

TEST(ReadLengthsTest, BadNpyNamesTheByte) {
  EXPECT_EQ(refused("a.npy", "tokens\n5\n"),
            "a.npy: byte 0: not a .npy file: it does not begin with \\x93NUMPY");
  EXPECT_EQ(refused("a.npy", "\x93NUM"),
            "a.npy: byte 0: the magic of a .npy file has 6 bytes, but the file ends after 4");
  EXPECT_EQ(refused("a.npy", npy(4, "<i8", "1,", "")),
            "a.npy: byte 6: the .npy version is 4; must be 1, 2 or 3");
  EXPECT_EQ(
      refused("a.npy", npy(1, "<f8", "1,", little_endian(5, 8))),
      "a.npy: byte 10: the type of elements is '<f8'; must be little-endian integers, such as "
      "'<i4' or '<i8'");
  EXPECT_EQ(refused("a.npy", npy(1, ">i8", "1,", little_endian(5, 8))).find("a.npy: byte 10"), 0u);
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "1, 1", little_endian(5, 8))),
            "a.npy: byte 10: the shape is (1, 1); must have one dimension");
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "", little_endian(5, 8))),
            "a.npy: byte 10: the shape is (); must have one dimension");
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "99999999999999999999,", "")),
            "a.npy: byte 10: the shape is (99999999999999999999,); must have one dimension");
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "1", little_endian(5, 8))),
            "a.npy: byte 10: the shape is (1); must have one dimension");
  std::string nameless = npy(1, "<i8", "1,", "");
  EXPECT_EQ(refused("a.npy", nameless.replace(nameless.find("descr"), 5, "drscr")),
            "a.npy: byte 10: the header must have 'descr' and 'shape'");
  std::string two = npy(1, "<i4", "2,", little_endian(5, 4) + little_endian(-1, 4));
  EXPECT_EQ(refused("a.npy", two), "a.npy: byte " + std::to_string(two.size() - 4) +
                                       ": length 2 of 2 is -1; must be from 0 to 2147483648");
  EXPECT_NE(refused("a.npy", npy(1, "<u8", "1,", little_endian(-1, 8)))
                .find("length 1 of 1 is 18446744073709551615"),
            std::string::npos);
  EXPECT_NE(refused("a.npy", npy(1, "<i8", "9,", little_endian(5, 8)))
                .find("the header announces 9 lengths, but the file ends after 1"),
            std::string::npos);
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "1,", little_endian(5, 8)), "#x"),
            "'a.npy': a .npy file has no field 'x'");
}

std::string joined(const Lengths& values, int width) {
  std::string bytes;
  for (int64_t value : values) bytes += little_endian(static_cast<uint64_t>(value), width);
  return bytes;
}

std::string idx_header(uint64_t version, uint64_t sequences, uint64_t boundaries) {
  return std::string("MMIDIDX\0\0", 9) + little_endian(version, 8) + little_endian(4, 1) +
         little_endian(sequences, 8) + little_endian(boundaries, 8);
}

std::string idx(const Lengths& sequences, const Lengths& boundaries) {
  return idx_header(1, sequences.size(), boundaries.size()) + joined(sequences, 4) +
         std::string(8 * sequences.size(), '\0') + joined(boundaries, 8);
}

TEST(ReadLengthsTest, MegatronIndexHasDocumentsOfSeveralSequences) {
  EXPECT_EQ(read("a.idx", idx({5, 70000}, {0, 1, 2})), Lengths({5, 70000}));
  EXPECT_EQ(read("a.idx", idx({5, 7, 9}, {0, 2, 3})), Lengths({12, 9}));
  EXPECT_EQ(read("a.idx", idx({5}, {0, 1}) + "modes"), Lengths({5}));
}

TEST(ReadLengthsTest, BadMegatronIndexNamesTheByte) {
  EXPECT_EQ(refused("a.idx", "nonsense, but long enough"),
            "a.idx: byte 0: not a Megatron .idx file: it does not begin with MMIDIDX");
  EXPECT_EQ(refused("a.idx", idx_header(2, 1, 2)),
            "a.idx: byte 9: the .idx version is 2; must be 1");
  const std::string merged = " (a faulty merge of index files leaves such boundaries)";
  EXPECT_EQ(refused("a.idx", idx({5, 7, 9, 5, 7, 9}, {0, 1, 2, 3})),
            "a.idx: byte 130: the last document boundary is 3; must be 6, the number of sequences" +
                merged);
  EXPECT_EQ(refused("a.idx", idx({5, 7, 9}, {0, 3, 2, 3})),
            "a.idx: byte 86: document boundary 2 is 2, and the one before is 3; must not descend");
  EXPECT_EQ(refused("a.idx", idx({5, 7}, {1, 2})),
            "a.idx: byte 58: the first document boundary is 1; must be 0");
  EXPECT_EQ(refused("a.idx", idx({5, 7}, {0, int64_t{1} << 62, 2})),
            "a.idx: byte 74: document boundary 2 is 2, and the one before is "
            "4611686018427387904; must not descend");
  EXPECT_EQ(refused("a.idx", idx({}, {})),
            "a.idx: byte 34: there are 0 document boundaries; must be from 1 to 268435457");
  EXPECT_EQ(refused("a.idx", idx({5, -1}, {0, 1, 2})),
            "a.idx: byte 38: length 2 of 2 is -1; must be from 0 to 2147483648");
  const int64_t most = INT32_MAX;
  EXPECT_EQ(refused("a.idx", idx({most, most}, {0, 2})),
            "a.idx: byte 58: document 0 has 4294967294 tokens; must have at most 2147483648");
}

TEST(ReadLengthsTest, MegatronIndexThatEndsEarlyIsRefused) {
  const std::string whole = idx({5, 7, 9}, {0, 2, 3});
  for (size_t size = 34; size < whole.size(); ++size) {
    EXPECT_EQ(refused("a.idx", whole.substr(0, size)),
              "a.idx: byte 34: the file is shorter than its header says: 3 sequences and 3 "
              "document boundaries do not fit the " +
                  std::to_string(size - 34) + " bytes that follow");
  }
  for (const auto& [sequences, boundaries] :
       {std::pair(~uint64_t{0}, uint64_t{1}), std::pair(uint64_t{1}, ~uint64_t{0}),
        std::pair(uint64_t{1} << 62, uint64_t{1} << 61)}) {
    EXPECT_NE(refused("a.idx", idx_header(1, sequences, boundaries) + std::string(99, '\0'))
                  .find("the file is shorter than its header says"),
              std::string::npos);
  }
}

TEST(ReadLengthsTest, DocumentsWithoutTokensAreSkippedAndCounted) {
  const std::vector<FileLengths> all = {
      documents("a.txt", "0\n5\n+0\n7\n"),
      documents("a.csv", "id,tokens\nx,0\ny,5\nz,0\nw,7\n", "#tokens"),
      documents("a.jsonl", "{\"length\": 0}\n{\"length\": 5}\n{\"length\": []}\n{\"length\": 7}\n"),
      documents(
          "a.jsonl",
          "{\"t\": \"\"}\n{\"t\": \"a a a a a\"}\n{\"t\": \" \"}\n{\"t\": \"a a a a a a a\"}\n",
          "#t:words"),
      documents("a.npy", npy(1, "<i4", "4,", joined({0, 5, 0, 7}, 4))),
      documents("a.idx", idx({0, 5, 7}, {0, 1, 2, 2, 3})),
  };
  for (const FileLengths& found : all) {
    EXPECT_EQ(found.lengths, Lengths({5, 7}));
    EXPECT_EQ(found.skipped, 2);
  }
  EXPECT_EQ(refused("a.txt", "0\n"), "'a.txt' has only documents without tokens");
}

TEST(ReadLengthsTest, LongValuesAreCutInMessages) {
  const std::string text(1000000, 'x');
  const std::vector<std::string> messages = {
      refused("a.txt", "1" + text + "\n"),
      refused("a.csv", text + "," + text + "\n1,2\n"),
      refused("a.csv", "a," + text + "\n1,2\n", "#b"),
      refused("a.csv", "5\n", "#" + text),
      refused("a.jsonl", "{\"" + text + "\": 1}\n"),
      refused("a.jsonl", "{\"length\": 1}\n", "#" + text),
      refused("a.npy", npy(2, text, "1,", "")),
      refused("a.npy", npy(2, "<i4", text, "")),
  };
  for (const std::string& message : messages) {
    EXPECT_FALSE(message.empty());
    EXPECT_LT(message.size(), 700u) << message;
  }
}

TEST(ReadLengthsTest, MissingFilesAndFolders) {
  EXPECT_EQ(error_of([] { read_lengths("no/such.csv"); }),
            "cannot read the file of lengths 'no/such.csv': it does not exist");
  EXPECT_EQ(error_of([] { read_lengths("/"); }),
            "cannot read the file of lengths '/': it is a folder");
  EXPECT_EQ(error_of([] { read_lengths("/dev/zero"); }),
            "cannot read the file of lengths '/dev/zero': it is a pipe, a socket or a device; must "
            "be a regular file");
  EXPECT_TRUE(names_length_file("a.csv"));
  EXPECT_TRUE(names_length_file("folder/lengths"));
  EXPECT_TRUE(names_length_file("a.jsonl#text:words"));
  EXPECT_FALSE(names_length_file("piel"));
  EXPECT_FALSE(names_length_file("lognormel:sigma=0.7"));
}

}  // namespace
}  // namespace cpbench
