#include "harness/store/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

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
  const std::filesystem::path target(path);
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  // It is hidden and does not have the target's ending, so that no reader takes it for a result.
  std::string temporary = folder + "/." + target.filename().string() + ".XXXXXX";
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
  sync_folder(folder);
}

}  // namespace cpbench
