// Text of a file as a part of a message, which is one line: control characters become blanks.
#pragma once

#include <string>

namespace cpbench {

inline std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace cpbench
