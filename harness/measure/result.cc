#include "harness/measure/result.h"

namespace cpbench {

const char* name_of(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::oom:
      return "oom";
    case Status::unsupported:
      return "unsupported";
    case Status::failed:
      return "failed";
  }
  return "failed";
}

}  // namespace cpbench
