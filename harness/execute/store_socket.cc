#include "harness/execute/store_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

struct Socket {
  explicit Socket(int family) : file(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (file >= 0) ::close(file);
  }
  Socket(const Socket&) = delete;
  int release() {
    const int kept = file;
    file = -1;
    return kept;
  }
  int file;
};

bool bind_and_listen(Socket& socket, const sockaddr* address, socklen_t size) {
  const int yes = 1;
  ::setsockopt(socket.file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return ::bind(socket.file, address, size) == 0 && ::listen(socket.file, SOMAXCONN) == 0;
}

// A port that nobody listens at may be the very one that the system gives to whoever looks there,
// who then meets itself.
bool is_met_by_itself(int file) {
  sockaddr_storage here{}, there{};
  socklen_t here_size = sizeof here, there_size = sizeof there;
  return ::getsockname(file, reinterpret_cast<sockaddr*>(&here), &here_size) == 0 &&
         ::getpeername(file, reinterpret_cast<sockaddr*>(&there), &there_size) == 0 &&
         here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

bool listens(const addrinfo& address, Clock::time_point until) {
  Socket socket(address.ai_family);
  if (socket.file < 0) return false;
  ::fcntl(socket.file, F_SETFL, O_NONBLOCK);
  if (::connect(socket.file, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready{socket.file, POLLOUT, 0};
    if (::poll(&ready, 1, static_cast<int>(std::max<int64_t>(left, 0))) != 1) return false;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.file, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return false;
  }
  return !is_met_by_itself(socket.file);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

}  // namespace

int listen_at(uint16_t port) {
  Socket both(AF_INET6);  // and IPv4
  if (both.file >= 0) {
    const int no = 0;
    ::setsockopt(both.file, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_any;
    any.sin6_port = htons(port);
    if (bind_and_listen(both, reinterpret_cast<const sockaddr*>(&any), sizeof any)) {
      return both.release();
    }
  }
  int error = errno;
  if (both.file < 0 || error == EADDRNOTAVAIL) {  // no IPv6 here
    Socket ipv4(AF_INET);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons(port);
    if (bind_and_listen(ipv4, reinterpret_cast<const sockaddr*>(&any), sizeof any)) {
      return ipv4.release();
    }
    error = errno;
  }
  throw UserError("process 0 cannot listen at port " + std::to_string(port) + " (" +
                  std::strerror(error) +
                  "): set MASTER_PORT to a free one, the same for all processes");
}

void await_listener(const std::string& host, uint16_t port, double timeout_seconds) {
  constexpr std::chrono::milliseconds kPause{100};
  constexpr std::chrono::seconds kAnswer{5};  // of one address: a firewall may swallow the question
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(timeout_seconds));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  for (;;) {
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    const bool is_over = Clock::now() + kPause > end;
    if (error != 0 && (error != EAI_AGAIN || is_over)) {
      throw UserError("host '" + host + "' has no address here (" + ::gai_strerror(error) +
                      "): set MASTER_ADDR to a name or address of process 0's node that all "
                      "nodes know");
    }
    for (const addrinfo* address = error == 0 ? found : nullptr; address;
         address = address->ai_next) {
      if (listens(*address, std::min(Clock::now() + kAnswer, end))) return;
    }
    if (is_over) {
      throw UserError("nobody listens at " + host + ":" + std::to_string(port) + " within " +
                      seconds_text(timeout_seconds) +
                      ": process 0 did not come, is on another node, or a firewall is between");
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace cpbench
