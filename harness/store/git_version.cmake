# Writes OUTPUT, a header with the commit of SOURCE_DIR, and changes it only when the commit changes. Every
# build runs this, because a header made at configure time would name an older commit.
cmake_minimum_required(VERSION 3.31)
set(sha "unknown")
set(dirty "unknown")
# An unpacked archive may be inside another repository, whose commit must not be used.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse HEAD --show-prefix
                OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE failed)
if(NOT failed AND found MATCHES "^[0-9a-f]+$")
  set(sha ${found})
  execute_process(COMMAND git -C ${SOURCE_DIR} --no-optional-locks status --porcelain
                  OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(dirty "yes")
    if(changes STREQUAL "")
      set(dirty "no")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"#pragma once
#define CPBENCH_GIT_SHA \"@sha@\"
#define CPBENCH_GIT_DIRTY \"@dirty@\"
" @ONLY)
