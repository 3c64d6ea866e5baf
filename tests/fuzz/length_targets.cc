// Files of document lengths in every format, and the names of workloads.
#include "tests/fuzz/fuzz_target.h"
#include "workloads/read_lengths.h"
#include "workloads/workload.h"

namespace cpbench {
namespace {

std::string little_endian(const std::vector<int64_t>& values, int width) {
  std::string bytes;
  for (int64_t value : values) {
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  }
  return bytes;
}

std::vector<std::string> text_seeds() {
  return {"5\n1\n300\n",           "tokens\r\n5\r\n\r\n 7\r\n", "+5\n0\n-3\n",
          "id,tokens\nx,5\ny,7\n", repeated("1", 100000),       repeated(",", 100000)};
}

std::vector<std::string> jsonl_seeds() {
  return {"{\"length\": 5}\n{\"length\": [1, 2, 3], \"id\": 1.5}\n",
          "{\"length\": 0}\n\n{\"length\": 18446744073709551615, \"b\": {\"c\": null}}\n",
          repeated("[", 100000), repeated("{\"length\": ", 30000)};
}

std::string npy(char version, const std::string& type, const std::string& shape,
                const std::string& data) {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY") + version + '\0' +
         little_endian({std::ssize(header)}, version == 1 ? 2 : 4) + header + data;
}

std::vector<std::string> npy_seeds() {
  return {npy(1, "<i8", "(2,)", little_endian({5, 700}, 8)),
          npy(2, "<u4", "(3,)", little_endian({1, 0, 70000}, 4)),
          npy(3, "|i1", "(2,)", "\x01\x7f")};
}

std::string idx(const std::vector<int64_t>& sequences, const std::vector<int64_t>& boundaries) {
  return std::string("MMIDIDX\0\0", 9) + little_endian({1}, 8) + "\x04" +
         little_endian({std::ssize(sequences), std::ssize(boundaries)}, 8) +
         little_endian(sequences, 4) + little_endian(std::vector<int64_t>(sequences.size()), 8) +
         little_endian(boundaries, 8);
}

std::vector<std::string> idx_seeds() {
  return {idx({5, 7, 9}, {0, 2, 3}), idx({5, 7, 9, 5, 7, 9}, {0, 1, 2, 3}),
          idx({5, 7, 9}, {0, 3, 2, 3}), idx({0, 5}, {0, 1, 2}), idx({}, {0})};
}

// Without zipf, whose tables may have 16M lengths.
std::vector<std::string> name_seeds() {
  return {"pile",
          "lognormal:mean=16K,sigma=2,min=1,max=1M",
          "bimodal:share=0.5",
          "uniform:min=512,max=4K",
          "pareto:min=100,exponent=1.5",
          "fixed:tokens=8",
          "burst:long=128K,share=0.5,batch=512K,min=512,max=4K",
          "mix:web=0.9,books=0.1"};
}

template <const char* ending>
void read_file(std::string_view bytes) {
  read_lengths(file_with(bytes, ending));
}
constexpr char kText[] = ".txt", kJsonl[] = ".jsonl", kNpy[] = ".npy", kIdx[] = ".idx";

}  // namespace

std::vector<FuzzTarget> length_targets() {
  return {
      {"text_lengths", text_seeds, read_file<kText>},
      {"csv_lengths", text_seeds,
       [](std::string_view bytes) { read_lengths(file_with(bytes, ".csv") + "#tokens"); }},
      {"jsonl_lengths", jsonl_seeds, read_file<kJsonl>},
      {"npy_lengths", npy_seeds, read_file<kNpy>},
      {"idx_lengths", idx_seeds, read_file<kIdx>},
      {"workload", name_seeds,
       [](std::string_view bytes) {
         if (bytes.find("zipf") != std::string_view::npos) return;
         const auto stream = find_workload(std::string(bytes))->stream(1);
         for (int i = 0; i < 100; ++i) stream->next();
       }},
  };
}

}  // namespace cpbench
