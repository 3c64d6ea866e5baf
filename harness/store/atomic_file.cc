#include "harness/store/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTemporary = ".tmp-";

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

bool ends_with_dead_process(const std::string& stem) {  // ".ring.h5.node7.4711"
  const size_t dot = stem.find_last_of('.');
  if (dot == std::string::npos || !stem.substr(0, dot).ends_with("." + host_name())) return false;
  pid_t id = 0;
  const char* const end = stem.data() + stem.size();
  const auto [parsed, error] = std::from_chars(stem.data() + dot + 1, end, id);
  return error == std::errc() && parsed == end && id > 0 && ::kill(id, 0) != 0 && errno == ESRCH;
}

bool write_all(int file, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<size_t>(n);
  }
  return true;
}

// Makes the rename itself survive a power failure. Some file systems cannot sync a folder; then
// there is nothing to do.
void sync_folder(const std::string& folder) {
  const int id = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (id < 0) return;
  ::fsync(id);
  ::close(id);
}

}  // namespace

void write_atomically(const std::string& path, const std::string& bytes) {
  std::string temporary = temporary_name(path);
  auto fail = [&](int error) {
    throw UserError(path + ": cannot be written: " + std::strerror(error));
  };
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) fail(errno);
  int error = 0;
  if (!write_all(file, bytes) || ::fsync(file) != 0) error = errno;
  ::fchmod(file, 0644);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail(error);
  }
  sync_folder(fs::path(temporary).parent_path().string());
}

std::string temporary_name(const std::string& path) {
  const fs::path target(path);
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  return folder + "/." + target.filename().string() + "." + host_name() + "." +
         std::to_string(::getpid()) + kTemporary + "XXXXXX";
}

void remove_abandoned(const std::string& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const size_t end = name.rfind(kTemporary);
    if (end == std::string::npos || !ends_with_dead_process(name.substr(0, end))) continue;
    fs::remove(entry.path(), ignored);
  }
}

}  // namespace cpbench
