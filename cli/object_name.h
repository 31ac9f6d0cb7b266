/* What a logical name stands for, in words. */
#ifndef FERRARIS_CLI_OBJECT_NAME_H
#define FERRARIS_CLI_OBJECT_NAME_H

#include <stdint.h>

/* The name in our object model (model/names.h), "" where it is not known; class_id 0: any. */
const char *object_name(uint16_t class_id, const uint8_t ln[6], char room[96]);

#endif
