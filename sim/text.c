/* Reading text files of instruments: lines, fields, numbers. See text.h. */
#include "sim/text.h"

#include "lib/base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_MAX (INT64_C(1) << 30)
#define DOS_EOF  0x1A

struct text text_of(const void *p, size_t len)
{
    struct text t = {.p = p, .len = len};
    if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        t.pos = 3;
    return t;
}

bool text_line(struct text *t, struct span *line)
{
    if (t->pos >= t->len || t->p[t->pos] == DOS_EOF)
        return false;
    size_t from = t->pos;
    while (t->pos < t->len && t->p[t->pos] != '\n' && t->p[t->pos] != '\r')
        t->pos++;
    *line = (struct span){t->p + from, t->pos - from};
    if (line->len && line->p[line->len - 1] == DOS_EOF)
        line->len--;
    if (t->pos < t->len && t->p[t->pos] == '\r' && t->pos + 1 < t->len && t->p[t->pos + 1] == '\n')
        t->pos++;
    t->pos++;
    t->line++;
    return true;
}

bool text_line_filled(struct text *t, struct span *line)
{
    while (text_line(t, line))
        if (text_trim(*line).len)
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\0';
}

struct span text_trim(struct span s)
{
    while (s.len && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Where a quoted field ends: a separator in it is none. 0 when the field is not quoted. */
static size_t quoted(struct span rest)
{
    size_t from = 0;
    while (from < rest.len && is_blank(rest.p[from]))
        from++;
    if (from == rest.len || rest.p[from] != '"')
        return 0;
    const char *end = memchr(rest.p + from + 1, '"', rest.len - from - 1);
    return end ? (size_t)(end - rest.p) : 0;
}

bool text_field(struct span *rest, char separator, struct span *field)
{
    if (!rest->p)
        return false;
    size_t skip = quoted(*rest);
    const char *cut = rest->len ? memchr(rest->p + skip, separator, rest->len - skip) : NULL;
    size_t len = cut ? (size_t)(cut - rest->p) : rest->len;
    *field = text_trim((struct span){rest->p, len});
    if (field->len >= 2 && field->p[0] == '"' && field->p[field->len - 1] == '"')
        *field = text_trim((struct span){field->p + 1, field->len - 2});
    *rest = cut ? (struct span){cut + 1, rest->len - len - 1} : (struct span){NULL, 0};
    return true;
}

size_t text_count(struct span line, char c)
{
    size_t n = 0;
    for (size_t k = 0; k < line.len; k++)
        n += line.p[k] == c;
    return n;
}

bool text_is(struct span s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.p, word, s.len) == 0;
}

static bool names_no_number(const char *p)
{
    p += *p == '+' || *p == '-';
    return strncasecmp(p, "nan", 3) == 0 || strncasecmp(p, "inf", 3) == 0 ||
           strncasecmp(p, "1.#", 3) == 0; /* how an old C library of Windows prints them */
}

enum text_number text_real(struct span s, double *out)
{
    char copy[64];
    *out = 0;
    if (!s.len)
        return TEXT_EMPTY;
    if (s.len >= sizeof copy)
        return TEXT_NO_NUMBER;
    memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    if (names_no_number(copy))
        return TEXT_NOT_FINITE;
    if (strpbrk(copy, "xX"))
        return TEXT_NO_NUMBER;
    char *end;
    double v = strtod(copy, &end);
    if (end == copy || *end)
        return TEXT_NO_NUMBER;
    if (!isfinite(v))
        return TEXT_NOT_FINITE;
    *out = v;
    return TEXT_NUMBER;
}

bool text_uint(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t k = 0; k < s.len; k++) {
        if (s.p[k] < '0' || s.p[k] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[k] - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return s.len > 0;
}

static bool is_utf8(struct span s)
{
    for (size_t k = 0; k < s.len;) {
        size_t n = utf8_sequence(s.p + k, s.len - k);
        if (!n)
            return false;
        k += n;
    }
    return true;
}

void text_copy(char *to, size_t size, struct span s)
{
    bool utf8 = is_utf8(s);
    size_t len = s.len < size - 1 ? s.len : size - 1;
    while (utf8 && len && len < s.len && ((unsigned char)s.p[len] & 0xC0) == 0x80)
        len--; /* do not cut a character in two */
    for (size_t k = 0; k < len; k++) {
        unsigned char c = (unsigned char)s.p[k];
        to[k] = c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8) ? '?' : s.p[k];
    }
    to[len] = '\0';
}

enum err text_file(const char *path, char **out, size_t *len)
{
    struct stat st;
    *out = NULL;
    *len = 0;
    FILE *f = fopen(path, "rb");
    if (!f)
        return ERR_IO;
    enum err err = ERR_OK;
    int why = EINVAL; /* what errno says after a failure: a folder or a device is no recording */
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        err = ERR_IO;
    else if (st.st_size > FILE_MAX)
        err = ERR_UNSUPPORTED;
    else if (!(*out = malloc((size_t)st.st_size + 1)))
        err = ERR_MEMORY;
    if (!err) {
        *len = fread(*out, 1, (size_t)st.st_size, f);
        if (ferror(f)) {
            why = errno;
            err = ERR_IO;
        }
    }
    fclose(f);
    if (err) {
        free(*out);
        *out = NULL;
        errno = why;
    }
    return err;
}
