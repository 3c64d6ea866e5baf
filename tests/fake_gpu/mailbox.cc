#include "tests/fake_gpu/mailbox.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {

namespace fs = std::filesystem;

Mailbox::Mailbox(fs::path folder, int rank, int size)
    : folder_(std::move(folder)), rank_(rank), size_(size), sent_(size), received_(size) {}

fs::path Mailbox::new_folder() {
  std::string name = fs::temp_directory_path() / "fake-nccl-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) misuse("cannot create a folder at " + name);
  return name;
}

namespace {

// Writes the file completely or not at all.
void write_file(const fs::path& path, const void* head, size_t head_bytes, const void* data,
                size_t bytes) {
  const fs::path part = path.string() + ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file.write(static_cast<const char*>(head), static_cast<std::streamsize>(head_bytes));
    file.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    if (!file.flush()) misuse("cannot write " + part.string());
  }
  std::error_code failed;  // the folder is gone if the other ranks have given up
  fs::rename(part, path, failed);
}

std::string number(const char* what, int rank) { return what + std::to_string(rank); }

}  // namespace

fs::path Mailbox::folder_beside(const std::string& name) const {
  const fs::path folder = folder_.string() + "-" + name;
  fs::create_directory(folder);
  return folder;
}

void Mailbox::arrive(const std::string& device) {
  write_file(folder_ / number("here-", rank_), device.data(), device.size(), nullptr, 0);
}

std::optional<std::vector<std::string>> Mailbox::devices() const {
  std::vector<std::string> all;
  for (int i = 0; i < size_; ++i) {
    std::ifstream file(folder_ / number("here-", i));
    if (!file) return std::nullopt;
    all.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return all;
}

fs::path Mailbox::post(int to, const Label& label, const void* data, size_t bytes) {
  const fs::path path =
      folder_ / (number("", rank_) + number("-", to) + "-" + std::to_string(sent_[to]++));
  write_file(path, &label, sizeof(label), data, bytes);
  return path;
}

std::optional<Message> Mailbox::take(int from) {
  const fs::path path =
      folder_ / (number("", from) + number("-", rank_) + "-" + std::to_string(received_[from]));
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return std::nullopt;
  Message message;
  message.data.resize(static_cast<size_t>(file.tellg()) - sizeof(Label));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(&message.label), sizeof(Label));
  file.read(reinterpret_cast<char*>(message.data.data()),
            static_cast<std::streamsize>(message.data.size()));
  ++received_[from];
  fs::remove(path);
  return message;
}

void Mailbox::leave() {
  write_file(folder_ / number("gone-", rank_), nullptr, 0, nullptr, 0);
  std::error_code failed;
  for (int i = 0; i < size_; ++i) {
    if (!fs::exists(folder_ / number("gone-", i), failed)) return;
  }
  fs::remove_all(folder_, failed);
}

}  // namespace fake_gpu
