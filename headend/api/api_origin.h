/* The public name of the head-end: what a browser's address bar says when a proxy with TLS stands
 * in front. Without one the head-end knows only the names of this machine. */
#ifndef FERRARIS_HEADEND_API_ORIGIN_H
#define FERRARIS_HEADEND_API_ORIGIN_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define API_ORIGIN_TEXT 280

struct api_origin {
    char text[API_ORIGIN_TEXT]; /* as browsers write it: lower case, no port where it is the usual
                                   one: "https://meters.example.org"; "": none */
    const char *name;           /* within text, without the port */
    size_t name_len;
    bool tls;
};

/* "https://NAME", "https://NAME:PORT", also with http and with a slash at the end; NULL: none.
 * ERR_FORMAT. */
MUST_CHECK enum err api_origin_parse(const char *text, struct api_origin *o);
/* Whether n octets at `name` are its name; case does not count. */
bool api_origin_names(const struct api_origin *o, const char *name, size_t n);

#endif
