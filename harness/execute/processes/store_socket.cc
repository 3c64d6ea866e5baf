#include "harness/execute/processes/store_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"

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

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// The addresses of a host, or all addresses of this machine if `host` is null. If there are none,
// the second is the error of getaddrinfo.
std::pair<Addresses, int> addresses_of(const char* host, uint16_t port, int family = AF_UNSPEC) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = host ? 0 : AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host, std::to_string(port).c_str(), &hints, &found);
  return {Addresses(error == 0 ? found : nullptr, ::freeaddrinfo), error};
}

// If nothing listens at the port, the system may assign this very port to the socket that connects,
// which then connects to itself.
bool is_connected_to_itself(int file) {
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
  return !is_connected_to_itself(socket.file);
}

std::string numbers_of(const addrinfo& address) {
  char numbers[NI_MAXHOST];
  const int error = ::getnameinfo(address.ai_addr, address.ai_addrlen, numbers, sizeof numbers,
                                  nullptr, 0, NI_NUMERICHOST);
  if (error != 0) throw std::runtime_error(std::string("getnameinfo: ") + ::gai_strerror(error));
  return numbers;
}

}  // namespace

// It does not listen at both, although an IPv6 socket could. The store's server looks up the name
// of each client, one after another, and an IPv4 address mapped to IPv6 is not in /etc/hosts, so a
// slow name server would delay all clients.
int listen_at(const std::string& host, uint16_t port) {
  const bool only_ipv6 =
      !addresses_of(host.c_str(), port, AF_INET).first && addresses_of(host.c_str(), port).first;
  const auto [any, unknown] = addresses_of(nullptr, port, only_ipv6 ? AF_INET6 : AF_INET);
  if (!any) throw std::runtime_error(std::string("getaddrinfo: ") + ::gai_strerror(unknown));
  Socket socket(any->ai_family);
  const int yes = 1;
  ::setsockopt(socket.file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.file, any->ai_addr, any->ai_addrlen) != 0 ||
      ::listen(socket.file, SOMAXCONN) != 0) {
    throw UserError("process 0 cannot listen at port " + std::to_string(port) + " (" +
                    std::strerror(errno) +
                    "): set MASTER_PORT to a free port, the same for all processes");
  }
  return socket.release();
}

uint16_t free_port() {
  constexpr int kFirst = 20000, kPorts = 10000;
  for (int i = 0; i < kPorts; ++i) {
    const auto port = static_cast<uint16_t>(kFirst + (::getpid() * 37 + i) % kPorts);
    const Socket socket(AF_INET);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    if (::bind(socket.file, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0) return port;
  }
  throw UserError("no port of this machine is free");
}

std::string await_listener(const std::string& host, uint16_t port, double timeout_seconds) {
  constexpr std::chrono::milliseconds kPause{100};
  constexpr std::chrono::seconds kAnswer{5};  // for one address: a firewall may drop the request
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(timeout_seconds));
  for (;;) {
    const auto [addresses, error] = addresses_of(host.c_str(), port);
    for (const addrinfo* address = addresses.get(); address; address = address->ai_next) {
      if (listens(*address, std::min(Clock::now() + kAnswer, end))) return numbers_of(*address);
    }
    const bool is_over = Clock::now() + kPause > end;
    if (error != 0 && (error != EAI_AGAIN || is_over)) {
      throw UserError("host '" + host + "' has no address here (" + ::gai_strerror(error) +
                      "): set MASTER_ADDR to a name or address of process 0's node that all "
                      "nodes can resolve");
    }
    if (is_over) {
      throw UserError("nothing listens at " + host + ":" + std::to_string(port) + " after " +
                      seconds_text(timeout_seconds) +
                      ": process 0 did not start, is on another node, or is behind a firewall");
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace cpbench
