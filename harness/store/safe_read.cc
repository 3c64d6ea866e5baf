#include "harness/store/safe_read.h"

#include <new>
#include <stdexcept>

namespace cpbench {
namespace {

constexpr double kSeconds = 120;  // a few would do, but the machine may be busy
constexpr size_t kMemoryBytes = size_t{4} << 30;

}  // namespace

std::string clean_copy(const std::string& path, const std::function<std::string()>& make) {
  const std::string damaged = path + ": is damaged: ";
  try {
    return in_child({.name = damaged + "its reader",
                     .deadline = Deadline(kSeconds),
                     .most_memory_bytes = kMemoryBytes},
                    make)
        .bytes;
  } catch (const std::bad_alloc&) {
    throw UserError(damaged + "reading it requires too much memory");
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const UserError*>(&error)) throw;
    throw UserError(damaged + error.what());
  }
}

}  // namespace cpbench
