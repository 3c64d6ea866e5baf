#include "tests/fuzz/fuzz_target.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/source_tree/source_tree.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

// A child that is killed removes nothing: only the process that made the folder does.
class Folder {
 public:
  Folder() : owner_(getpid()) {
    std::string name = (fs::temp_directory_path() / "cpbench_fuzz.XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    if (getpid() == owner_) fs::remove_all(path_);
  }
  const fs::path& path() const { return path_; }

 private:
  pid_t owner_;
  fs::path path_;
};

}  // namespace

const std::vector<FuzzTarget>& fuzz_targets() {
  static const std::vector<FuzzTarget> all = [] {
    std::vector<FuzzTarget> targets;
    for (const auto& some : {toml_targets(), length_targets(), plan_targets(), message_targets()}) {
      targets.insert(targets.end(), some.begin(), some.end());
    }
    return targets;
  }();
  return all;
}

const FuzzTarget* find_target(const std::string& name) {
  const auto found = std::ranges::find(fuzz_targets(), name, &FuzzTarget::name);
  return found == fuzz_targets().end() ? nullptr : &*found;
}

std::vector<std::string> inputs_of(const FuzzTarget& target) {
  std::vector<std::string> inputs = target.seeds();
  const fs::path corpus = source_tree() / "tests/fuzz/corpus" / target.name;
  if (!fs::exists(corpus)) return inputs;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(corpus)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

std::string file_with(std::string_view bytes, const std::string& ending) {
  static const Folder folder;
  const fs::path path = folder.path() / ("input" + ending);
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

std::string repeated(const std::string& piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace cpbench
