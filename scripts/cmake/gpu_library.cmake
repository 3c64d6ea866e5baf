# cpbench_find_gpu_library(NAME HEADER LIBRARY): NAME_LIBRARY and NAME_INCLUDE_DIR, in the cache.
#
# The packages that torch brings come before the toolkit and the system: libtorch_cuda is in the same
# process, and uses the one libnccl.so.2 and libcudnn.so.9 that are loaded. It lacks symbols in an
# older NCCL, and kernel 'cudnn' needs a recent cuDNN. The header is the one next to the library.
function(cpbench_find_gpu_library name header library)
  file(GLOB roots LIST_DIRECTORIES true ${torch_root}/../nvidia/*)
  # Folder by folder, because a package has libnccl.so.2 and no libnccl.so.
  find_library(${name}_LIBRARY NAMES ${library} NAMES_PER_DIR
               HINTS ${roots} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
  cmake_path(GET ${name}_LIBRARY PARENT_PATH folder)
  find_path(${name}_INCLUDE_DIR ${header} HINTS ${folder}/.. ${CUDAToolkit_INCLUDE_DIRS}
            PATH_SUFFIXES include)
endfunction()
