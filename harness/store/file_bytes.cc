#include "harness/store/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr off_t kMaxBytes = off_t{4} << 30;

struct Descriptor {
  int id;
  ~Descriptor() {
    if (id >= 0) ::close(id);
  }
};

}  // namespace

std::string file_bytes(const std::string& path) {
  const auto fail = [&](const std::string& what) { throw UserError(path + ": " + what); };
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  struct stat status {};
  if (file.id < 0 || ::fstat(file.id, &status) != 0) {
    fail(errno == ENOENT ? "no such file" : std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) fail("not a file");
  if (status.st_size > kMaxBytes) fail("is larger than 4 GiB, so it is not a file of cpbench");
  std::string bytes;
  try {
    bytes.resize(static_cast<size_t>(status.st_size));
  } catch (const std::bad_alloc&) {
    fail("there is no memory for its " + std::to_string(status.st_size) + " bytes");
  }
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::read(file.id, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(std::strerror(errno));
    if (n == 0) bytes.resize(done);  // it was cut while it was read
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace cpbench
