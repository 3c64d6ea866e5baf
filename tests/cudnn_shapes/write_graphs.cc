// Builds the cuDNN graphs that runs on an H200 need, on this machine without a GPU:
//
//   cpbench_cudnn_graphs FOLDER SUITE...    // those of the suites, and of `cpbench calibrate gpu`
//
// Runs with CPBENCH_CUDNN_GRAPHS=FOLDER then load them. Graphs that the folder has are not built
// again. scripts/gpu_pack sets the environment that this program needs.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/cudnn_shapes/gpu_shapes.h"

namespace cpbench {
namespace {

void write_graph(const std::filesystem::path& file, const CudnnShape& shape) {
  if (std::filesystem::exists(file)) return;
  const std::vector<uint8_t> bytes = serialized_sdpa_graph(shape, kH200);
  std::filesystem::create_directories(file.parent_path());
  std::filesystem::path partial = file;
  partial += ".partial";
  std::ofstream out(partial, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw std::runtime_error(partial.string() + ": cannot be written");
  std::filesystem::rename(partial, file);
}

int write_graphs(const std::filesystem::path& folder, const CudnnShapes& shapes) {
  const std::vector<CudnnShape> all(shapes.begin(), shapes.end());
  std::atomic<size_t> next = 0, failed = 0;
  const auto work = [&] {
    for (size_t i = next++; i < all.size(); i = next++) {
      try {
        write_graph(folder / sdpa_graph_file(all[i], kH200Device), all[i]);
      } catch (const std::exception& error) {
        ++failed;
        std::fprintf(stderr, "cpbench_cudnn_graphs: %s\n", error.what());
      }
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back(work);
  }
  threads.clear();
  std::fprintf(stderr, "cpbench_cudnn_graphs: %zu graphs, %zu failed\n", all.size(), failed.load());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cpbench

int main(int argc, char** argv) {
  using namespace cpbench;
  if (argc < 2) {
    std::fputs("usage: cpbench_cudnn_graphs FOLDER SUITE...\n", stderr);
    return 2;
  }
  try {
    CudnnShapes shapes = shapes_of_calibration("llama3_8b");
    for (int i = 2; i < argc; ++i) shapes.merge(shapes_of_suite(argv[i]));
    return write_graphs(argv[1], shapes);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cpbench_cudnn_graphs: error: %s\n", error.what());
    return 2;
  }
}
