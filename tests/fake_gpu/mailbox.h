// Messages between the ranks of one communicator, threads or processes alike: a folder that all of
// them see, in which a message is a file, gone once it was received.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fake_gpu {

// What both ends of a message must agree about.
struct Label {
  int32_t operation = 0;
  int32_t datatype = 0;
  int32_t reduction = 0;
  int32_t rank_count = 0;
  uint64_t count = 0;  // elements
};

struct Message {
  Label label;
  std::vector<std::byte> data;
};

class Mailbox {
 public:
  Mailbox(std::filesystem::path folder, int rank, int size);

  static std::filesystem::path new_folder();

  // Says that this rank is here, on that device; the others' devices once all are here.
  void arrive(const std::string& device);
  std::optional<std::vector<std::string>> devices() const;

  // The file, which is there until its receiver has read it.
  std::filesystem::path post(int to, const Label& label, const void* data, size_t bytes);
  std::optional<Message> take(int from);  // the next one, if it has come

  void leave();  // the last one removes the folder

 private:
  std::filesystem::path folder_;
  int rank_, size_;
  std::vector<uint64_t> sent_, received_;  // by peer
};

}  // namespace fake_gpu
