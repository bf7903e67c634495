# The verbs that every CMakeLists.txt below the root uses.

# add_tcc_library(<name> <sources...> [DEPENDS <targets>] [LINK_LIBS <libs>])
#
# Declares one static library of the compiler. MLIR is always linked as the one
# shared libMLIR: mixing it with MLIR's static archives gives two copies of
# every TypeID and breaks isa<> at run time.
function(add_tcc_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  llvm_update_compile_flags(${name})
  set_property(GLOBAL APPEND PROPERTY TCC_LIBS ${name})
endfunction()

# add_tcc_plain_library(<name> <sources...> [DEPENDS <targets>] [LINK_LIBS <libs>])
#
# Declares one static library that knows nothing of LLVM: the runtime and the
# readers of files.
function(add_tcc_plain_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# add_tcc_schema(<name> <file.fbs>...)
#
# Generates <file>_generated.h beside each schema's path in the build tree, as
# target <name>. Schemas include each other from the repository root.
function(add_tcc_schema name)
  set(headers)
  foreach(schema ${ARGN})
    get_filename_component(stem ${schema} NAME_WE)
    set(header ${CMAKE_CURRENT_BINARY_DIR}/${stem}_generated.h)
    add_custom_command(
      OUTPUT ${header}
      COMMAND ${FLATC} --cpp --cpp-std c++17 --scoped-enums --gen-object-api
        --keep-prefix -I ${PROJECT_SOURCE_DIR} -o ${CMAKE_CURRENT_BINARY_DIR}
        ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
      DEPENDS ${schema} ${TCC_SCHEMA_INCLUDES}
      VERBATIM)
    list(APPEND headers ${header})
  endforeach()
  add_custom_target(${name} DEPENDS ${headers})
endfunction()

# add_tcc_dialect(<folder> <Name>)
#
# Generates the declarations of the dialect in the current folder from
# <Name>Ops.td and <Name>Interfaces.td, as target <Name>IncGen.
function(add_tcc_dialect dialect name)
  set(LLVM_TARGET_DEFINITIONS ${name}Ops.td)
  mlir_tablegen(${name}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${name}Enums.cpp.inc -gen-enum-defs)
  mlir_tablegen(${name}Dialect.h.inc -gen-dialect-decls -dialect=${dialect})
  mlir_tablegen(${name}Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect})
  mlir_tablegen(${name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${dialect})
  mlir_tablegen(${name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${dialect})
  mlir_tablegen(${name}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${dialect})
  mlir_tablegen(${name}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${dialect})
  mlir_tablegen(${name}Ops.h.inc -gen-op-decls)
  mlir_tablegen(${name}Ops.cpp.inc -gen-op-defs)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}Interfaces.td)
    set(LLVM_TARGET_DEFINITIONS ${name}Interfaces.td)
    mlir_tablegen(${name}Interfaces.h.inc -gen-op-interface-decls)
    mlir_tablegen(${name}Interfaces.cpp.inc -gen-op-interface-defs)
    mlir_tablegen(${name}AttrInterfaces.h.inc -gen-attr-interface-decls)
    mlir_tablegen(${name}AttrInterfaces.cpp.inc -gen-attr-interface-defs)
  endif()
  add_public_tablegen_target(${name}IncGen)
  add_mlir_doc(${name}Ops ${name} dialects/ -gen-dialect-doc -dialect=${dialect})
endfunction()

# add_tcc_passes(<name>)
#
# Generates Passes.h.inc and the passes' reference page from Passes.td in the
# current folder, as target <name>PassesIncGen.
function(add_tcc_passes name)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${name})
  add_public_tablegen_target(${name}PassesIncGen)
  add_mlir_doc(Passes ${name}Passes passes/ -gen-pass-doc)
endfunction()

# add_tcc_tool(<name> <sources...> [LINK_LIBS <libs>])
#
# Declares a program that uses MLIR.
function(add_tcc_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_llvm_executable(${name} PARTIAL_SOURCES_INTENDED ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  llvm_update_compile_flags(${name})
endfunction()

# add_tcc_plain_tool(<name> <sources...> [LINK_LIBS <libs>])
#
# Declares a program that knows nothing of LLVM.
function(add_tcc_plain_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS})
endfunction()

# add_ptxsim_library(<name> <sources...> [LINK_LIBS <libs>])
#
# Declares one static library of the simulator, twice: <name> for any CPU with
# AVX2 and <name>V4 for those with AVX-512. Nothing of one may be linked into the
# other, since inline functions of a header exist in both. Libraries in LINK_LIBS
# whose names begin with Ptxsim are twins, too.
function(add_ptxsim_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  foreach(suffix "" V4)
    set(library ${name}${suffix})
    add_library(${library} STATIC ${ARG_UNPARSED_ARGUMENTS})
    list(TRANSFORM ARG_LINK_LIBS REPLACE "^(Ptxsim.*)$" "\\1${suffix}"
      OUTPUT_VARIABLE libraries)
    target_link_libraries(${library} PUBLIC ${libraries})
    set_target_properties(${library} PROPERTIES
      POSITION_INDEPENDENT_CODE ON
      CXX_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON)
  endforeach()
  # A register is a row of bits that ops read as several C++ types.
  set(options -ffp-contract=off -fno-strict-aliasing)
  target_compile_options(${name} PRIVATE -march=x86-64-v3 ${options})
  target_compile_options(${name}V4 PRIVATE
    -march=x86-64-v4 -mprefer-vector-width=512 ${options})
endfunction()

# `ninja tcc-doc` writes every generated reference page under build/docs/.
add_custom_target(tcc-doc DEPENDS mlir-doc)

# add_tcc_unittest(<name> <sources...> [LINK_LIBS <libs>])
#
# Declares a GoogleTest executable; test/unit/<name>.test runs it under lit.
function(add_tcc_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unittests)
  set_property(GLOBAL APPEND PROPERTY TCC_UNITTESTS ${name})
endfunction()

# add_tcc_fuzzer(<name> <sources...> [LINK_LIBS <libs>])
#
# Declares a libFuzzer executable when TCC_ENABLE_FUZZING is on. The libraries
# it links are instrumented too: the option sets the flags for the whole build.
function(add_tcc_fuzzer name)
  if(NOT TCC_ENABLE_FUZZING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY TCC_FUZZERS ${name})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
endfunction()
