# Every package the project uses, found once. Torch comes as imported targets, because its own
# package file asks for a CUDA toolkit even where none is used.
include(torch)
include(cuda)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

find_package(PkgConfig REQUIRED)
pkg_check_modules(CBC IMPORTED_TARGET cbc)  # optional: exact solvers
pkg_check_modules(SIMGRID IMPORTED_TARGET simgrid)  # optional: the simgrid network

# Optional: ranks as processes. In C++ through its C interface alone.
set(MPI_CXX_SKIP_MPICXX ON)
find_package(MPI QUIET COMPONENTS CXX)

# METIS has no pkg-config file. Optional: the start of dcp's partition.
find_path(METIS_INCLUDE_DIR metis.h)
find_library(METIS_LIBRARY metis)

# Optional: Chakra traces. Compiling them requires protoc as well.
set(CPBENCH_WITH_PROTOBUF OFF)
find_package(Protobuf QUIET)
if(TARGET protobuf::libprotobuf-lite AND TARGET protobuf::protoc)
  set(CPBENCH_WITH_PROTOBUF ON)
endif()
