// How processes find the store: a port that one listens at, and the others look for. Theirs are the
// errors that a person can mend, so they are told apart here and not by the store's library.
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// A listening socket at the port, of all addresses of this machine: of IPv4 if the name by which
// others look for it has such an address, otherwise of IPv6. Throws UserError if the port is taken
// or not allowed.
int listen_at(const std::string& host, uint16_t port);

// Returns once something listens there: the address that does, in numbers. Throws UserError if
// nobody does within the timeout, or the host has no address.
std::string await_listener(const std::string& host, uint16_t port, double timeout_seconds);

}  // namespace cpbench
