// Loads the library of FlashAttention-3.
#pragma once

namespace cpbench {

// Loads what find_flash3 (find_flash3.h) finds, unless its operators are there. Throws UserError if
// there is none, or it cannot be loaded.
void load_flash3();

}  // namespace cpbench
