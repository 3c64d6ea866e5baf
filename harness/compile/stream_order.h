// A rank's program for a GPU: its operations on two streams, one that computes and one that
// exchanges, each in order, with the waits of either for the other.
//
//   const StreamOrder order = order_for_streams(program, Exchanges(plan));
//   for (const StreamItem& item : order.items) ...   // issue; where item.wait >= 0 the item's
//                                                    // stream waits for that item first
//
// What may run beside what is as in a plan: an exchange begins as soon as its own ones before it
// are done and its bytes are there, at most `lookahead` steps ahead; bytes are packed between
// calls, once a rank's steps have come that far. Items are issued in such an order that each waits
// for earlier ones alone, and exchanges in the order of `Exchanges` on every rank: so ranks cannot
// wait for each other in a ring.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/compile/exchanges.h"
#include "harness/compile/program.h"

namespace cpbench {

// One rank's part in one exchange.
struct RankExchange {
  int32_t exchange = 0;              // in Exchanges::all
  std::vector<int32_t> sends;        // in RankProgram::messages, by tag
  std::vector<int32_t> receives;     // the same
  std::vector<int32_t> collectives;  // in RankProgram::collectives, by tag
  bool operator==(const RankExchange&) const = default;
};

struct StreamItem {
  bool exchanges = false;  // on the exchanging stream; `index` is in StreamOrder::exchanges
  int32_t index = 0;       // else in RankProgram::ops: rows, a call or row sums
  int32_t step = 0;        // in RankProgram::steps
  int32_t wait = -1;       // item of the other stream that must be done before
  bool awaited = false;    // by an item of the other stream
  bool operator==(const StreamItem&) const = default;
};

struct StreamOrder {
  std::vector<RankExchange> exchanges;
  std::vector<StreamItem> items;
  bool operator==(const StreamOrder&) const = default;
};

StreamOrder order_for_streams(const RankProgram& program, const Exchanges& exchanges);

}  // namespace cpbench
