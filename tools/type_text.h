/* A-XDR types of the class descriptors as text for the documents: "array of structure
 * {long-unsigned, octet-string[6]}", with the limits of the class behind what they limit. */
#ifndef FERRARIS_TOOLS_TYPE_TEXT_H
#define FERRARIS_TOOLS_TYPE_TEXT_H

#include "lib/cosem/model.h"

struct text {
    char s[512];
};

void text_append(struct text *t, const char *more);
struct text type_text(struct axdr_type type, const struct cosem_limit *limits, uint8_t n_limits);

#endif
