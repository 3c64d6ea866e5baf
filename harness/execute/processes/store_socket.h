// How processes find the store: process 0 listens at a port and the others look for it. Users can
// fix errors of this phase, so they are diagnosed here and not by the store's library.
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// Returns a socket that listens at the port on all addresses of this machine. It uses IPv4 if
// `host`, the name by which the other processes look for it, has an IPv4 address, and IPv6
// otherwise. Throws UserError if the port is taken or not allowed.
int listen_at(const std::string& host, uint16_t port);

// A port of this machine that nothing listens at, below those that the system assigns by itself.
// Throws UserError if there is none.
uint16_t free_port();

// Waits until something listens there, and returns the address at which it does, in numbers. Throws
// UserError if the timeout passes first, or if the host has no address.
std::string await_listener(const std::string& host, uint16_t port, double timeout_seconds);

}  // namespace cpbench
