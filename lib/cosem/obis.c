/* Logical names from and to text. Group borders are what tells the two notations apart: "A-B:C.D.E"
 * or six numbers with dots. */
#include "lib/cosem/obis.h"

#include <stdbool.h>
#include <string.h>

/* One decimal group; *t moves behind it. */
static enum err parse_group(const char **t, uint8_t *out)
{
    unsigned v = 0, n = 0;
    for (; **t >= '0' && **t <= '9'; (*t)++, n++) {
        v = v * 10 + (unsigned)(**t - '0');
        if (v > 255)
            return ERR_RANGE;
    }
    *out = (uint8_t)v;
    return n > 0 ? ERR_OK : ERR_FORMAT;
}

enum err obis_parse(const char *text, uint8_t ln[6])
{
    static const char marks[] = "-:..."; /* behind groups A..E */
    const char *t = text;
    uint8_t out[6] = {0, 0, 0, 0, 0, 255};
    bool dots = false;
    for (unsigned g = 0; g < 6; g++) {
        enum err err = parse_group(&t, &out[g]);
        if (err)
            return err;
        if (g == 4 && *t == 0 && !dots) /* F left out */
            break;
        if (g == 5)
            break;
        if (g == 0)
            dots = *t == '.';
        bool star = g == 4 && *t == '*' && !dots;
        if (*t != (dots ? '.' : marks[g]) && !star)
            return ERR_FORMAT;
        t++;
    }
    if (*t != 0)
        return ERR_FORMAT;
    memcpy(ln, out, sizeof out);
    return ERR_OK;
}

static char *put_number(char *p, uint8_t v)
{
    if (v >= 100)
        *p++ = (char)('0' + v / 100);
    if (v >= 10)
        *p++ = (char)('0' + v / 10 % 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

void obis_print(const uint8_t ln[6], char out[OBIS_TEXT])
{
    static const char marks[6] = "-:...";
    for (unsigned g = 0; g < 6; g++) {
        out = put_number(out, ln[g]);
        *out++ = marks[g]; /* the last one is the zero */
    }
}
