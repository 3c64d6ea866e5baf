// Messages between the ranks of one communicator, which may be threads or processes. All ranks
// share a folder, and a message is a file in it, which is removed when it is received.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fake_gpu {

// What sender and receiver of a message must agree on.
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

  // Announces this rank and its device.
  void arrive(const std::string& device);
  // The devices of all ranks, once all have arrived.
  std::optional<std::vector<std::string>> devices() const;

  // Returns the file, which exists until the receiver has read it.
  std::filesystem::path post(int to, const Label& label, const void* data, size_t bytes);
  std::optional<Message> take(int from);  // the next message, if it has arrived

  // Makes a folder for another mailbox, if no other rank has made it.
  std::filesystem::path folder_beside(const std::string& name) const;

  void leave();  // the last rank that leaves removes the folder

 private:
  std::filesystem::path folder_;
  int rank_, size_;
  std::vector<uint64_t> sent_, received_;  // by peer
};

}  // namespace fake_gpu
