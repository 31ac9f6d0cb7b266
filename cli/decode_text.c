/* A line is cut into words, words that are octets into runs. The longest runs are tried. */
#include "cli/decode_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Octets that a log's line must have in a row to be more than times, counts and addresses: less
 * where a frame waits for its rest. */
#define LONG_RUN  12
#define LONG_REST 8
#define SKIP_MAX  12 /* words in front of a frame, as times */

#define HEX_DIGITS "0123456789ABCDEFabcdef"

static bool is_gap(char c)
{
    return c != '\0' && strchr(" \t\r\n,;:-", c) != NULL;
}

static bool is_mask(char c)
{
    return c == 'X' || c == 'x' || c == '*' || c == '?';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const int low = tolower((unsigned char)c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

struct start { /* of a word */
    size_t octet, text;
};

struct word {
    const char *p;
    size_t len; /* digits */
    bool masked;
};

/* The word at `p` if it is octets; *end behind it either way. A word ends at a gap, or at what can
 * be in no hex word. */
static bool take_word(const char *p, struct word *w, const char **end)
{
    bool good = true, any = false;
    if (p[0] == '\\' && p[1] == 'x')
        p += 2;
    else if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && digit(p[2]) >= 0)
        p += 2;
    else if (p[0] == 'x' && digit(p[1]) >= 0)
        p++;
    *w = (struct word){.p = p};
    for (; *p != '\0' && !is_gap(*p) && strchr("\"'()[]{}|\\<>=", *p) == NULL; p++) {
        any |= digit(*p) >= 0;
        w->masked |= digit(*p) < 0 && is_mask(*p);
        good &= digit(*p) >= 0 || is_mask(*p);
    }
    w->len = (size_t)(p - w->p);
    *end = p;
    /* masks alone are octets only in pairs, as "XX"; "x" and "***" are words */
    return good && w->len > 0 && w->len % 2 == 0 && (any || (w->len == 2 && w->p[0] == w->p[1]));
}

static void add_word(struct octets *to, const struct word *w)
{
    for (size_t i = 0; i + 1 < w->len; i += 2) {
        const int high = digit(w->p[i]), low = digit(w->p[i + 1]);
        const uint8_t octet = (uint8_t)((high < 0 ? 0 : high) << 4 | (low < 0 ? 0 : low));
        octets_add(to, &octet, 1);
    }
}

/* A run of octets: [from, to) in the line's octets, its words from first_word on. */
struct run {
    size_t from, to, first_word;
    bool masked;
};
#define RUNS_MAX 64 /* of one line; the words of a longer one are a text's */

struct line {
    struct run run[RUNS_MAX];
    size_t n_runs;
    bool pure;           /* nothing but octets */
    const char *strange; /* the first word that is none; NULL: none */
};

static void end_run(struct decode_text *t, struct line *l, struct run *r)
{
    r->to = t->octets.len;
    if (r->to > r->from && l->n_runs < RUNS_MAX)
        l->run[l->n_runs++] = *r;
    r->from = r->to;
    r->first_word = t->starts.len / sizeof(struct start);
    r->masked = false;
}

/* "2024-01-02" is a date, "7E-A0-27" are octets. */
static bool is_dashed(const char *line, const struct word *w, const char *end)
{
    return w->len != 2 &&
           ((*end == '-' && isxdigit((unsigned char)end[1])) || (w->p > line && w->p[-1] == '-'));
}

/* Characters of `p` that look like `pattern`, where 0 stands for any digit; 0: it does not. */
static size_t fits(const char *p, const char *pattern)
{
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        const bool any = pattern[i] == '0' && isdigit((unsigned char)p[i]);
        if (!any && (pattern[i] == '0' || p[i] != pattern[i]))
            return 0;
    }
    return strlen(pattern);
}

/* "2024-01-02", "2024-01-02 03:04:05.678+01:00": its length, or 0. The parts of it would pass for
 * octets. */
static size_t stamp_length(const char *line, const char *p)
{
    if (p > line && isalnum((unsigned char)p[-1]))
        return 0;
    size_t n = fits(p, "0000-00-00");
    if (n == 0 || (p[n] != ' ' && p[n] != 'T') || fits(p + n + 1, "00:00") == 0)
        return n;
    n += 1 + fits(p + n + 1, "00:00");
    n += fits(p + n, ":00");
    if ((p[n] == '.' || p[n] == ',') && isdigit((unsigned char)p[n + 1]))
        n += 1 + strspn(p + n + 1, "0123456789");
    if (p[n] == '+' || p[n] == '-')
        n += fits(p + n + 1, "00:00") > 0 ? 6 : 0;
    return n;
}

/* "7E A0 // from the meter": what follows the slashes is a comment. */
static bool is_comment(const char *line, const char *p)
{
    return p[0] == '/' && p[1] == '/' && (p == line || isspace((unsigned char)p[-1]));
}

static void cut(struct decode_text *t, const char *text, struct line *l)
{
    struct run r = {0};
    *l = (struct line){.pure = true};
    octets_cut(&t->octets, 0);
    octets_cut(&t->starts, 0);
    for (const char *p = text; *p != '\0' && !is_comment(text, p);) {
        struct word w;
        const char *end;
        if (is_gap(*p)) {
            p++;
            continue;
        }
        const size_t stamp = stamp_length(text, p);
        const bool octets = take_word(p, &w, &end) && !is_dashed(text, &w, end);
        if (octets && stamp == 0) {
            const struct start start = {t->octets.len, (size_t)(p - text)};
            octets_add(&t->starts, &start, sizeof start);
            add_word(&t->octets, &w);
            r.masked |= w.masked;
        } else {
            end_run(t, l, &r);
            l->pure = false;
            l->strange = l->strange != NULL ? l->strange : p;
            end = stamp > 0 ? p + stamp : end > p ? end : p + 1;
        }
        p = end;
    }
    end_run(t, l, &r);
}

/* first_word: of those that count; what stands before it is the line's head. */
static void unit(struct decode_text *t, const struct run *r, const char *line)
{
    struct start start;
    memcpy(&start, t->starts.p + r->first_word * sizeof start, sizeof start);
    octets_cut(&t->head, 0);
    octets_add(&t->head, line, start.text);
    t->stream->relaxed |= r->masked;
    decode_stream_unit(t->stream, t->octets.p + r->from, r->to - r->from);
    if (t->stream->rest.len == 0)
        t->stream->relaxed = false;
}

/* Where in the run a frame or APDU begins: itself, or behind some of its first words. */
static bool find_start(const struct decode_text *t, struct run *r)
{
    const size_t n_words = t->starts.len / sizeof(struct start);
    if (t->stream->rest.len == 1 && t->octets.p[r->from] >> 4 == 0xA)
        return false; /* behind a flag: the format field */
    for (size_t i = 0; i < SKIP_MAX && r->first_word + i < n_words; i++) {
        struct start start;
        memcpy(&start, t->starts.p + (r->first_word + i) * sizeof start, sizeof start);
        if (start.octet >= r->to)
            return false;
        const struct bytes b = {t->octets.p + start.octet, r->to - start.octet};
        if (decode_stream_begins(t->stream, b, i > 0)) {
            r->from = start.octet;
            r->first_word += i;
            return true;
        }
    }
    return false;
}

/* Octets in a line of a log: those that make sense. */
static bool take_runs(struct decode_text *t, struct line *l, const char *line)
{
    bool taken = false;
    for (size_t i = 0; i < l->n_runs; i++) {
        struct run r = l->run[i];
        if (r.to - r.from < 2 || !find_start(t, &r))
            continue;
        unit(t, &r, line);
        taken = true;
    }
    return taken;
}

static const struct run *longest(const struct line *l)
{
    const struct run *best = &l->run[0];
    for (size_t i = 1; i < l->n_runs; i++)
        if (l->run[i].to - l->run[i].from > best->to - best->from)
            best = &l->run[i];
    return best;
}

/* A part of a frame among words, or a frame that is wrong. */
static bool take_longest(struct decode_text *t, const struct line *l, const char *line)
{
    const struct run *r = longest(l);
    const size_t least = t->stream->rest.len > 0 ? LONG_REST : LONG_RUN;
    if (l->n_runs == 0 || r->to - r->from < least)
        return false;
    unit(t, r, line);
    return true;
}

/* "12:03:17 rx 68 14" behind "12:03:17 rx 7E A0 ..": the same but for digits. */
static bool has_head(const struct decode_text *t, const char *line)
{
    for (size_t i = 0; i < t->head.len; i++) {
        const char a = (char)t->head.p[i], b = line[i];
        if (b == '\0' || (a != b && !(isdigit((unsigned char)a) && isdigit((unsigned char)b))))
            return false;
    }
    return t->head.len > 0;
}

/* The rest of a frame in a line like the one before, however short it is. */
static bool take_rest(struct decode_text *t, const char *line, struct line *l)
{
    if (t->stream->rest.len == 0 || !has_head(t, line))
        return false;
    line += t->head.len;
    cut(t, line, l);
    struct start start;
    if (l->n_runs == 0)
        return false;
    memcpy(&start, t->starts.p, sizeof start);
    if (start.text > 0 || (!l->pure && l->run[0].to < LONG_REST))
        return false;
    const struct octets head = t->head;
    t->head = (struct octets){0};
    unit(t, &l->run[0], line);
    octets_free(&t->head);
    t->head = head;
    return true;
}

/* Nothing but digits that end within an octet, a hyphen perhaps behind them. Too short a line is a
 * number. */
#define BROKEN_LEAST 16
#define BROKEN_MOST  65536
static bool is_broken(const char *line)
{
    const size_t n = strspn(line, HEX_DIGITS);
    if (n < BROKEN_LEAST || n > BROKEN_MOST)
        return false;
    return n % 2 == 1 && (line[n] == '\0' || (line[n] == '-' && line[n + 1] == '\0'));
}

/* The line with what was kept of the ones before in front; takes both. NULL: they do not fit. */
static char *joined(char *broken, const char *line)
{
    const size_t n = strspn(broken, HEX_DIGITS), digits = strspn(line, HEX_DIGITS),
                 m = strlen(line);
    if (digits == 0 || (digits < m && strcmp(line + digits, "-") != 0))
        return NULL;
    char *both = realloc(broken, n + m + 1);
    if (both != NULL)
        memcpy(both + n, line, m + 1);
    return both;
}

/* One word of letters and digits that are no hex: digits that were spoilt. */
static bool is_spoilt(const char *line, const struct line *l)
{
    for (const char *p = line; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p))
            return false;
    return l->n_runs == 0;
}

/* "00000010: 7e a0 ..", "00000010  7e a0 .. |..|", "\t0x0010:  7ea0 ..": the offset is the number
 * of octets before. Copies the octets' part to `room`. */
static bool is_dump(struct decode_text *t, const char *line, char *room, size_t size)
{
    char *end;
    const char *p = line + strspn(line, " \t");
    const char *digits = p[0] == '0' && p[1] == 'x' ? p + 2 : p;
    const unsigned long at = strtoul(digits, &end, 16);
    const size_t n = (size_t)(end - digits);
    if (n < 4 || n > 8 || at != t->dump_at || (*end != ':' && strncmp(end, "  ", 2) != 0))
        return false;
    const bool colon = *end == ':';
    p = end + colon;
    p += strspn(p, " \t");
    if (strlen(p) < 2 || digit(p[0]) < 0 || digit(p[1]) < 0)
        return false;
    size_t len = strcspn(p, "|\r\n");
    const char *text = colon ? strstr(p, "  ") : NULL;
    if (text != NULL && (size_t)(text - p) < len)
        len = (size_t)(text - p);
    if (len >= size)
        return false;
    memcpy(room, p, len);
    room[len] = '\0';
    return true;
}

/* The last line of a hex dump is the number of octets alone. */
static bool is_dump_end(const struct decode_text *t, const char *line)
{
    char *end;
    const unsigned long at = strtoul(line, &end, 16);
    return t->dump_at > 0 && end - line >= 7 && *end == '\0' && at == t->dump_at;
}

/* A line without its end, and no comment. */
static void take_line(struct decode_text *t, const char *line, unsigned number)
{
    struct line l;
    char room[256], why[96];
    const bool dump = is_dump(t, line, room, sizeof room), dump_end = is_dump_end(t, line);
    if (!dump && take_rest(t, line, &l))
        return;
    cut(t, dump ? room : line, &l);
    t->dump_at = dump ? t->dump_at + t->octets.len : 0;
    if (((l.pure || dump) && t->octets.len == 0) || dump_end) {
        t->n_words++; /* a line of dashes, the address of nothing */
    } else if (l.pure || dump) {
        struct run r = {.to = t->octets.len, .masked = l.n_runs > 0 && l.run[0].masked};
        if (!find_start(t, &r))
            r.from = 0;
        unit(t, &r, dump ? room : line);
    } else if (!take_runs(t, &l, line) && !take_longest(t, &l, line)) {
        t->n_words++;
        if (strspn(line, HEX_DIGITS) == strlen(line))
            snprintf(why, sizeof why, "line %u: %zu hex digits, an odd number", number,
                     strlen(line));
        else
            snprintf(why, sizeof why, "line %u, column %zu: no hex digits", number,
                     (size_t)(l.strange - line) + 1);
        if (is_spoilt(line, &l))
            decode_refuse(&t->stream->sink, "apdu", t->stream->origin, why);
    }
}

static void end_broken(struct decode_text *t)
{
    char *line = t->broken;
    t->broken = NULL;
    if (line != NULL)
        take_line(t, line, t->broken_number);
    free(line);
}

void decode_text_line(struct decode_text *t, const char *line, unsigned number)
{
    line += strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    line += strspn(line, " \t\r\n\f");
    char *copy = strdup(line), *both = NULL;
    if (copy == NULL)
        return;
    for (size_t n = strlen(copy); n > 0 && strchr(" \t\r\n\f", copy[n - 1]) != NULL; n--)
        copy[n - 1] = '\0';
    if (t->broken != NULL && (both = joined(t->broken, copy)) != NULL) {
        t->broken = NULL;
        free(copy);
        copy = both;
    }
    end_broken(t);
    if (is_broken(copy)) {
        t->broken = copy;
        t->broken_number = number;
        return;
    }
    if (*copy != '\0' && *copy != '#')
        take_line(t, copy, number);
    free(copy);
}

void decode_text_end(struct decode_text *t)
{
    end_broken(t);
    octets_free(&t->octets);
    octets_free(&t->starts);
    octets_free(&t->head);
}
