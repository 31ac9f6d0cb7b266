/* Errors of the libraries: one list, one type.
 *
 * Every function that can fail returns `enum err` and must be checked: 0 (ERR_OK) is success, all
 * others are negative and named in err.def. "More input needed" is never an error: engines say it
 * by a result of their own. */
#ifndef FERRARIS_BASE_ERR_H
#define FERRARIS_BASE_ERR_H

enum err {
    ERR_OK = 0,
#define ERR(name, value, message) ERR_##name = (value),
#include "lib/base/err.def"
#undef ERR
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The message of an error in err.def ("done" for ERR_OK, "unknown error" otherwise); constant. */
const char *err_text(enum err err);

#endif
