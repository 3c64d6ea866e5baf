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

Lengths read(const std::string& name, const std::string& bytes, const std::string& field = "") {
  TestFile file(name, bytes);
  return read_lengths(file.path() + field);
}

// The refusal, without the folder of the file.
std::string refused(const std::string& name, const std::string& bytes,
                    const std::string& field = "") {
  TestFile file(name, bytes);
  std::string message = refusal([&] { read_lengths(file.path() + field); });
  size_t folder = message.find(file.path());
  if (folder == std::string::npos) return message;
  return message.erase(folder, file.path().size() - name.size());
}

TEST(ReadLengthsTest, TextAndCsv) {
  EXPECT_EQ(read("a.txt", "5\n1\n300\n"), Lengths({5, 1, 300}));
  EXPECT_EQ(read("a.csv", "tokens\n5\n\n7"), Lengths({5, 7}));
  EXPECT_EQ(read("lengths", "\xEF\xBB\xBFtokens\r\n5\r\n 7 \r\n"), Lengths({5, 7}));
  EXPECT_EQ(read("a.csv", "id,tokens\nx,5\ny,7\n", "#tokens"), Lengths({5, 7}));
}

TEST(ReadLengthsTest, BadTextNamesTheLine) {
  const std::string must = "must be a whole number from 1 to 2147483648";
  EXPECT_EQ(refused("a.txt", "5\n0\n"), "a.txt:2: '0' is not a valid length; " + must);
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
            "a.jsonl:2: the length of 'length' is -1; must be from 1 to 2147483648");
  EXPECT_EQ(refused("a.jsonl", "{\"ids\": []}\n", "#ids"),
            "a.jsonl:1: the length of 'ids' is 0; must be from 1 to 2147483648");
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
                                       ": length 2 of 2 is -1; must be from 1 to 2147483648");
  EXPECT_NE(refused("a.npy", npy(1, "<u8", "1,", little_endian(-1, 8)))
                .find("length 1 of 1 is 18446744073709551615"),
            std::string::npos);
  EXPECT_NE(refused("a.npy", npy(1, "<i8", "9,", little_endian(5, 8)))
                .find("the header announces 9 lengths, but the file ends after 1"),
            std::string::npos);
  EXPECT_EQ(refused("a.npy", npy(1, "<i8", "1,", little_endian(5, 8)), "#x"),
            "'a.npy': a .npy file has no field 'x'");
}

std::string idx(uint64_t version, uint64_t sequences, const std::string& data) {
  return std::string("MMIDIDX\0\0", 9) + little_endian(version, 8) + little_endian(4, 1) +
         little_endian(sequences, 8) + little_endian(sequences + 1, 8) + data;
}

TEST(ReadLengthsTest, MegatronIndex) {
  std::string lengths = little_endian(5, 4) + little_endian(70000, 4);
  std::string pointers(2 * 8 + 3 * 8, '\0');
  EXPECT_EQ(read("a.idx", idx(1, 2, lengths + pointers)), Lengths({5, 70000}));
}

TEST(ReadLengthsTest, BadMegatronIndexNamesTheByte) {
  EXPECT_EQ(refused("a.idx", "nonsense, but long enough"),
            "a.idx: byte 0: not a Megatron .idx file: it does not begin with MMIDIDX");
  EXPECT_EQ(refused("a.idx", idx(2, 1, little_endian(5, 4))),
            "a.idx: byte 9: the .idx version is 2; must be 1");
  EXPECT_EQ(refused("a.idx", idx(1, 3, little_endian(5, 4))),
            "a.idx: byte 34: the header announces 3 lengths, but the file ends after 1");
  EXPECT_EQ(refused("a.idx", idx(1, ~uint64_t{0}, little_endian(5, 4))),
            "a.idx: byte 34: the header announces 18446744073709551615 lengths, but the file ends "
            "after 1");
  EXPECT_EQ(refused("a.idx", idx(1, 2, little_endian(5, 4) + little_endian(0, 4))),
            "a.idx: byte 38: length 2 of 2 is 0; must be from 1 to 2147483648");
}

TEST(ReadLengthsTest, MissingFilesAndFolders) {
  EXPECT_EQ(refusal([] { read_lengths("no/such.csv"); }),
            "the file of lengths 'no/such.csv' does not exist");
  EXPECT_EQ(refusal([] { read_lengths("/"); }), "'/' is a folder, not a file of lengths");
  EXPECT_TRUE(names_length_file("a.csv"));
  EXPECT_TRUE(names_length_file("folder/lengths"));
  EXPECT_TRUE(names_length_file("a.jsonl#text:words"));
  EXPECT_FALSE(names_length_file("piel"));
  EXPECT_FALSE(names_length_file("lognormel:sigma=0.7"));
}

}  // namespace
}  // namespace cpbench
