# One library per folder: cpbench_folder(plan DEPENDS ...) compiles every *.cc of the current folder
# into cpbench_plan, and every *_test.cc next to it into cpbench_plan_test. Nothing is listed by hand.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>
                    $<$<COMPILE_LANGUAGE:CXX>:-Werror=return-type>)
include_directories(${CMAKE_SOURCE_DIR})
include(GoogleTest)

function(cpbench_folder name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE_DEPENDS;SOURCES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(cpbench_${name} STATIC ${sources} ${arg_SOURCES})
  target_link_libraries(cpbench_${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
  if(tests)
    cpbench_test(cpbench_${name}_test SOURCES ${tests} DEPENDS cpbench_${name}
                 ${arg_PRIVATE_DEPENDS})
  endif()
endfunction()

function(cpbench_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} cpbench_source_tree GTest::gtest
                                        GTest::gtest_main)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)
endfunction()

# The test_*.py of the current folder as one CTest entry. The label lets scripts/test tell them apart.
function(cpbench_pytest name)
  find_program(CPBENCH_PYTHON python3 HINTS ${CMAKE_SOURCE_DIR}/.venv/bin NO_CMAKE_FIND_ROOT_PATH)
  add_test(NAME ${name} COMMAND ${CPBENCH_PYTHON} -m pytest -q -p no:cacheprovider
                                ${CMAKE_CURRENT_SOURCE_DIR}/${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS python TIMEOUT 600
                       ENVIRONMENT "CPBENCH_BINARY_DIR=${CMAKE_BINARY_DIR}")
endfunction()
