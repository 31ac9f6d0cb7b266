/* Fuzz target of `ferraris decode`: the first octet says what the rest is, lines of text, a stream,
 * a capture file or units.
 *
 * Every entry is complete and printable, what is malformed says so, and a stream gives the same
 * entries whether it is fed at once or in pieces (round trip of the delimiting). */
#include "cli/decode_pcap.h"
#include "cli/decode_print.h"
#include "cli/decode_text.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void take(void *context, json_t *entry, enum decode_result result)
{
    static const char *const keys[] = {"transport", "link",   "security", "apdu",
                                       "date_time", "values", "tree",     "error"};
    json_t *all = context;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK(json_object_get(entry, keys[i]) != NULL);
    const bool said = json_is_string(json_object_get(entry, "error"));
    CHECK(result != DECODE_MORE && (said || result == DECODE_OK));
    static FILE *nowhere;
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "we");
    if (nowhere != NULL)
        decode_print(entry, true, nowhere);
    char *text = json_dumps(entry, JSON_COMPACT | JSON_REAL_PRECISION(15));
    CHECK(text != NULL);
    free(text);
    json_array_append_new(all, entry);
}

static const struct decode_keys keys = {
    .keys =
        {.guek = {1}, .gak = {2}, .kek = {3}, .has_guek = true, .has_gak = true, .has_kek = true},
    .has_dedicated = true,
    .has_client = true,
    .has_server = true,
    .client = {'C'},
    .server = {'S'}};

enum kind { LINES, STREAM, CAPTURE, UNITS, KINDS };

static void feed_lines(struct decode_stream *s, const uint8_t *p, size_t n)
{
    struct decode_text t = {.stream = s};
    char *text = calloc(1, n + 1), *rest = text;
    CHECK(text != NULL);
    memcpy(text, p, n);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        decode_text_line(&t, line, 1);
    decode_text_end(&t);
    free(text);
}

/* `piece` octets at a time; with UNITS each begins a unit. */
static json_t *run(enum kind kind, const uint8_t *p, size_t n, size_t piece)
{
    json_t *all = json_array();
    struct decode_talk talk = {.keys = keys};
    struct decode_stream s = {.talk = &talk, .sink = {all, take}};
    if (kind == CAPTURE) {
        struct decode_net net = {.keys = keys, .sink = {all, take}};
        decode_pcap(&net, (struct bytes){p, n});
        decode_net_end(&net);
    } else if (kind == LINES) {
        feed_lines(&s, p, n);
    } else {
        for (size_t at = 0; at < n; at += piece) {
            const size_t len = n - at < piece ? n - at : piece;
            if (kind == STREAM)
                decode_stream_feed(&s, p + at, len);
            else
                decode_stream_unit(&s, p + at, len);
        }
    }
    decode_stream_end(&s);
    decode_talk_end(&talk);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const enum kind kind = data[0] % KINDS;
    const size_t piece = 1 + data[1] % 64u;
    json_t *pieces = run(kind, data + 2, size - 2, piece);
    if (kind == STREAM) {
        json_t *whole = run(kind, data + 2, size - 2, size);
        CHECK(json_equal(whole, pieces));
        json_decref(whole);
    }
    json_decref(pieces);
    return 0;
}
