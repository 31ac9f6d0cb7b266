# arm-none-eabi-gcc for the Cortex-M4 of mps2-an386, without FPU. Used by firmware/images. -DCPU=cortex-m0plus
# gives code of ARMv6-M, which the same board runs.
set(CPU cortex-m4 CACHE STRING "What the code is for")
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR ${CPU})
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=${CPU} -mthumb")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
