// Which thread moves which elements of a row operation. A row of a part consists of `vectors`
// vectors of up to 16 bytes. A tile is what a group of neighbouring lanes moves, kSlots vectors per
// lane: part of one row if rows are long, and several rows otherwise. All loads of a thread are in
// flight at the same time.
#pragma once

#include <cstdint>

#include "harness/compile/program.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {

// The runs of one operation. If there are several, they are in device memory.
struct RunTable {
  RowRun only;  // the run, if there is only one
  const RowRun* runs = nullptr;
  const int32_t* rows_before = nullptr;
  int32_t count = 1;

  struct Rows {
    int64_t source, target;
  };
  // The rows of the i-th row of the operation in source and target.
  CPBENCH_DEVICE Rows at(int64_t i) const {
    if (count == 1) return {only.source_row + i, only.target_row + i};
    int32_t first = 0;
    for (int32_t last = count; last - first > 1;) {
      const int32_t middle = first + (last - first) / 2;
      if (rows_before[middle] <= i) {
        first = middle;
      } else {
        last = middle;
      }
    }
    const int64_t row = i - rows_before[first];
    return {runs[first].source_row + row, runs[first].target_row + row};
  }
};

inline constexpr int32_t kSlots = 4;  // vectors per thread; a power of two

constexpr int32_t log2_at_least(int64_t value, int32_t most) {
  int32_t log2 = 0;
  while (log2 < most && int64_t{1} << log2 < value) ++log2;
  return log2;
}

struct Tiles {
  Tiles() = default;
  Tiles(int64_t rows, int64_t vectors)
      : rows(rows),
        vectors(vectors),
        lanes_log2(log2_at_least(vectors, 5)),
        slots_log2(log2_at_least((vectors + (1 << lanes_log2) - 1) >> lanes_log2, 2)),
        row_blocks(blocks(rows, kSlots >> slots_log2)),
        column_blocks(blocks(vectors, int64_t{1} << (lanes_log2 + slots_log2))) {}
  static int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

  CPBENCH_DEVICE int64_t threads() const { return (row_blocks * column_blocks) << lanes_log2; }

  // Calls visit(slot, rows, vector) for each slot of a thread that lies inside the rows.
  template <typename Visit>
  CPBENCH_DEVICE void visit(int64_t thread, const RunTable& runs, const Visit& visit) const {
    const int32_t lane = static_cast<int32_t>(thread) & ((1 << lanes_log2) - 1);
    // A GPU's memory has fewer than 2^32 tiles, and 32-bit division is several times faster.
    const auto tile = static_cast<uint32_t>(thread >> lanes_log2);
    const auto row_block = tile / static_cast<uint32_t>(column_blocks);
    const auto column_block = tile - row_block * static_cast<uint32_t>(column_blocks);
    const int32_t slots = 1 << slots_log2;  // in one row
    RunTable::Rows at{};
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int32_t slot = 0; slot < kSlots; ++slot) {
      // Neighbouring rows belong to neighbouring tiles, so that their loads are neighbours too.
      const int64_t row = row_block + (slot >> slots_log2) * row_blocks;
      const int64_t column = (int64_t{column_block} << slots_log2) + (slot & (slots - 1));
      const int64_t vector = (column << lanes_log2) + lane;
      if (row >= rows || vector >= vectors) continue;
      if ((slot & (slots - 1)) == 0) at = runs.at(row);
      visit(slot, at, vector);
    }
  }

  int64_t rows = 0;
  int64_t vectors = 0;        // per row
  int32_t lanes_log2 = 0;     // side by side in a row
  int32_t slots_log2 = 0;     // slots of a thread in one row; its other slots are in further rows
  int64_t row_blocks = 0;     // blocks of kSlots >> slots_log2 rows
  int64_t column_blocks = 1;  // blocks of lanes << slots_log2 vectors
};

}  // namespace cpbench
