# A file as a C array: cmake -D IN=openapi.json -D OUT=openapi_json.c -D NAME=openapi_json -P embed.cmake
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" n)
math(EXPR n "${n} / 2")
string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" octets "${octets}")
file(WRITE ${OUT} "#include <stddef.h>\nextern const unsigned char ${NAME}[];\nextern const size_t n_${NAME};\n\
const unsigned char ${NAME}[] = {\n${octets}};\nconst size_t n_${NAME} = ${n};\n")
