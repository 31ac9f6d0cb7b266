/* The messages of err.def. A switch and not a table: values are sparse and negative, and the
 * compiler reports a value given twice. */
#include "lib/base/err.h"

const char *err_text(enum err err)
{
    switch (err) {
    case ERR_OK:
        return "done";
#define ERR(name, value, message)                                                                  \
    case ERR_##name:                                                                               \
        return message;
#include "lib/base/err.def"
#undef ERR
    }
    return "unknown error";
}
