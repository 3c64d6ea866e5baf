// The program of one rank for a GPU: its operations on two streams, one that computes and one that
// exchanges. Each stream runs in order and waits for the other where it must.
//
//   const StreamOrder order = order_for_streams(program, Exchanges(plan));
//   for (const StreamItem& item : order.items) ...   // issue it; if item.wait >= 0, the item's
//                                                    // stream first waits for that item
//
// What may overlap is as in the plan. An exchange begins as soon as the rank's exchanges before it
// are done and its bytes are ready, at most `lookahead` steps ahead. Bytes are packed between
// calls, once the rank's steps have come that far. Items are issued in an order in which each waits
// only for earlier ones, and exchanges in the order of `Exchanges` on every rank, so ranks cannot
// wait for each other in a circle.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/compile/exchanges.h"
#include "harness/compile/program.h"

namespace cpbench {

// The part of one rank in one exchange.
struct RankExchange {
  int32_t exchange = 0;              // index into Exchanges::all
  std::vector<int32_t> sends;        // indices into RankProgram::messages, sorted by tag
  std::vector<int32_t> receives;     // the same
  std::vector<int32_t> collectives;  // indices into RankProgram::collectives, sorted by tag
  bool operator==(const RankExchange&) const = default;
};

struct StreamItem {
  bool exchanges = false;  // whether the item is on the exchanging stream
  int32_t index = 0;       // into StreamOrder::exchanges if so, else into RankProgram::ops
  int32_t step = 0;        // index into RankProgram::steps
  int32_t wait = -1;       // the item of the other stream that must be done before this one
  bool awaited = false;    // whether an item of the other stream waits for it
  bool operator==(const StreamItem&) const = default;
};

struct StreamOrder {
  std::vector<RankExchange> exchanges;
  std::vector<StreamItem> items;
  bool operator==(const StreamOrder&) const = default;
};

StreamOrder order_for_streams(const RankProgram& program, const Exchanges& exchanges);

}  // namespace cpbench
