/* Growth by doubling; see the header. */
#include "cli/decode_octets.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void octets_add(struct octets *o, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (n > o->size - o->len) {
        size_t size = o->size < 256 ? 256 : o->size;
        while (size - o->len < n && size <= SIZE_MAX / 2)
            size *= 2;
        uint8_t *grown = size - o->len < n ? NULL : realloc(o->p, size);
        if (grown == NULL) {
            fprintf(stderr, "ferraris: %s\n", err_text(ERR_MEMORY));
            exit(CLI_BUG);
        }
        o->p = grown;
        o->size = size;
    }
    memcpy(o->p + o->len, p, n);
    o->len += n;
}

void octets_drop(struct octets *o, size_t n)
{
    if (n > 0 && n < o->len)
        memmove(o->p, o->p + n, o->len - n);
    o->len -= n < o->len ? n : o->len;
}

void octets_cut(struct octets *o, size_t len)
{
    if (len < o->len)
        o->len = len;
}

void octets_free(struct octets *o)
{
    free(o->p);
    *o = (struct octets){0};
}
