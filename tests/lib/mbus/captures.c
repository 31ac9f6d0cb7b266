#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/hex.h"
#include "tests/lib/mbus/captures.h"

void capture_read(struct capture *c, const char *name)
{
    static char text[32768];
    char path[512];
    (void)snprintf(path, sizeof path, SHARED_DIR "/vectors/dlms/%s/case.json", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("%s is not there\n", path);
        skip();
        return;
    }
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    memset(c, 0, sizeof *c);
    char *at = strstr(text, "\"frames\": [");
    assert_non_null(at);
    char *end = strchr(at, ']');
    assert_non_null(end);
    *end = '\0';
    for (at = strchr(at, '['); (at = strchr(at, '"')) != NULL; at = strchr(at, '"') + 1) {
        assert_true(c->n_frames < CAPTURE_FRAMES);
        at++;
        c->len += hex_octets(at, c->octets + c->len, sizeof c->octets - c->len);
        c->end[c->n_frames++] = c->len;
    }
}
