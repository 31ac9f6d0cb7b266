/* Sinks that collect; see the header. */
#include "tests/cli/decoder.h"

#include "cli/decode_pcap.h"
#include "cli/decode_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void collect(void *context, json_t *entry, enum decode_result result)
{
    struct decoded *d = context;
    d->bad |= result == DECODE_MALFORMED;
    d->insecure |= result == DECODE_SECURITY;
    json_array_append_new(d->entries, entry);
}

struct decoded decoder_text(const char *text, const struct decode_keys *keys)
{
    struct decoded d = {.entries = json_array()};
    struct decode_talk talk = {.nesting = 0};
    struct decode_stream s = {.talk = &talk, .sink = {&d, collect}};
    struct decode_text t = {.stream = &s};
    char *copy = strdup(text);
    unsigned number = 1;
    if (keys != NULL)
        talk.keys = *keys;
    for (char *line = copy, *end; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        decode_text_line(&t, line, number++);
    }
    decode_text_end(&t);
    decode_stream_end(&s);
    decode_talk_end(&talk);
    free(copy);
    return d;
}

struct decoded decoder_stream(const uint8_t *p, size_t n, size_t piece)
{
    struct decoded d = {.entries = json_array()};
    struct decode_talk talk = {.nesting = 0};
    struct decode_stream s = {.talk = &talk, .sink = {&d, collect}};
    for (size_t at = 0; at < n; at += piece)
        decode_stream_feed(&s, p + at, n - at < piece ? n - at : piece);
    decode_stream_end(&s);
    decode_talk_end(&talk);
    return d;
}

struct decoded decoder_pcap(const uint8_t *p, size_t n)
{
    struct decoded d = {.entries = json_array()};
    struct decode_net net = {.sink = {&d, collect}};
    decode_pcap(&net, (struct bytes){p, n});
    decode_net_end(&net);
    return d;
}

json_t *entry_field(const struct decoded *d, size_t i, const char *key)
{
    return json_object_get(json_array_get(d->entries, i), key);
}

const char *entry_text(const struct decoded *d, size_t i, const char *key)
{
    const char *text = json_string_value(entry_field(d, i, key));
    return text != NULL ? text : "";
}

json_t *entry_value(const struct decoded *d, size_t i, const char *obis)
{
    size_t k;
    json_t *v;
    json_array_foreach(entry_field(d, i, "values"), k, v)
    {
        const char *name = json_string_value(json_object_get(v, "obis"));
        const char *end = strchr(name, ':');
        if (strcmp(name, obis) == 0 || (end != NULL && strcmp(end + 1, obis) == 0))
            return json_object_get(v, "value");
    }
    return NULL;
}

char *shared_text(const char *path)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", SHARED_DIR, path);
    FILE *f = fopen(name, "re");
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    const long n = ftell(f);
    rewind(f);
    char *text = n >= 0 ? calloc(1, (size_t)n + 1) : NULL;
    if (text != NULL && fread(text, 1, (size_t)n, f) != (size_t)n)
        text[0] = '\0';
    fclose(f);
    return text;
}
