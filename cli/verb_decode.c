/* `ferraris decode`: files of frames as trees. What kind of file it is shows in its first line. */
#include "cli/client_value.h"
#include "cli/decode_pcap.h"
#include "cli/decode_print.h"
#include "cli/decode_stream.h"
#include "cli/decode_text.h"

#include "cli/cli.h"
#include "cli/keys_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
    const struct cli_verb *verb;
    struct decode_keys keys;
    json_t *entries; /* NULL: print each at once */
    bool tree;
    bool bad, insecure;
};

static void take_entry(void *context, json_t *entry, enum decode_result result)
{
    struct decoder *d = context;
    d->bad |= result == DECODE_MALFORMED;
    d->insecure |= result == DECODE_SECURITY;
    if (d->entries != NULL) {
        json_array_append_new(d->entries, entry);
        return;
    }
    decode_print(entry, d->tree, stdout);
    fflush(stdout);
    json_decref(entry);
}

/* Control characters that no text has. */
static bool is_binary(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)line[i] < 0x20 && strchr("\t\n\r\f\x1B", line[i]) == NULL) ||
            line[i] == 0x7F || line[i] == '\0')
            return true;
    return false;
}

static void decode_octets(struct decode_stream *s, const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && decode_frame_at((struct bytes){p + i, n - i}) == 0)
        i++;
    if (i < n)
        decode_stream_feed(s, p, n);
    else
        decode_stream_unit(s, p, n); /* no frame at all: one APDU */
}

static void read_rest(FILE *f, struct octets *all)
{
    uint8_t chunk[65536];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        octets_add(all, chunk, n);
}

static void decode_lines(struct decode_stream *s, FILE *f, char **line, size_t *size)
{
    struct decode_text t = {.stream = s};
    unsigned number = 1;
    do
        decode_text_line(&t, *line, number++);
    while (getline(line, size, f) >= 0);
    decode_text_end(&t);
}

static void decode_capture(struct decoder *d, struct bytes file)
{
    struct decode_net net = {.keys = d->keys, .sink = {d, take_entry}};
    decode_pcap(&net, file);
    decode_net_end(&net);
    if (net.n_passed > 0)
        fprintf(stderr, "ferraris decode: %zu conversations without DLMS were passed over\n",
                net.n_passed);
}

/* Windows writes logs as UTF-16: what is ASCII in it. */
static void narrow(struct octets *all)
{
    size_t n = 0;
    for (size_t i = 2; i + 1 < all->len; i += 2)
        all->p[n++] = all->p[i + 1] == 0 ? all->p[i] : '~';
    octets_cut(all, n);
}

static bool is_utf16(const struct octets *all)
{
    return all->len >= 2 && all->p[0] == 0xFF && all->p[1] == 0xFE;
}

/* The whole input is in memory. */
static void decode_memory(struct decoder *d, struct decode_stream *s, struct octets *all)
{
    char *line = NULL;
    size_t size = 0;
    if (decode_is_pcap((struct bytes){all->p, all->len})) {
        decode_capture(d, (struct bytes){all->p, all->len});
        return;
    }
    if (is_utf16(all))
        narrow(all);
    if (is_binary((const char *)all->p, all->len)) {
        decode_octets(s, all->p, all->len);
        return;
    }
    FILE *f = all->len > 0 ? fmemopen(all->p, all->len, "r") : NULL;
    if (f != NULL && getline(&line, &size, f) >= 0)
        decode_lines(s, f, &line, &size);
    if (f != NULL)
        fclose(f);
    free(line);
}

/* Lines are decoded as they come: the input may be a line that is alive. Everything else, and what
 * begins with an empty line as pcapng does, is read whole. */
static void decode_input(struct decoder *d, FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    struct octets all = {0};
    struct decode_talk talk = {.keys = d->keys};
    struct decode_stream s = {.talk = &talk, .sink = {d, take_entry}};
    const ssize_t n = getline(&line, &size, f);
    if (n > 1 && !is_binary(line, (size_t)n) && (unsigned char)line[0] != 0xFF) {
        decode_lines(&s, f, &line, &size);
    } else if (n > 0) {
        octets_add(&all, line, (size_t)n);
        read_rest(f, &all);
        decode_memory(d, &s, &all);
    }
    octets_free(&all);
    free(line);
    decode_stream_end(&s);
    decode_talk_end(&talk);
}

static int decode_file(struct decoder *d, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (f == NULL)
        return cli_fail(d->verb, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    errno = 0;
    decode_input(d, f);
    const bool broken = ferror(f) != 0;
    const int why = errno;
    if (f != stdin)
        fclose(f);
    return broken ? cli_fail(d->verb, CLI_BAD_DATA, "%s: %s", path, strerror(why)) : -1;
}

struct key_words {
    const char *file, *guek, *gak, *kek, *dedicated, *client_title, *server_title;
};

static int take_key(const struct cli_verb *v, const char *name, const char *text, uint8_t *out,
                    size_t n, bool *has)
{
    if (text == NULL)
        return -1;
    *has = keys_hex(text, out, n);
    return *has ? -1 : cli_fail(v, CLI_USAGE, "--%s wants %zu hex digits", name, 2 * n);
}

static int take_keys(const struct cli_verb *v, const struct key_words *w, struct decode_keys *k)
{
    int code = -1;
    if (w->file != NULL) {
        struct keys_file file;
        char error[640];
        if (keys_file_read(&file, w->file, error, sizeof error))
            return cli_fail(v, CLI_BAD_DATA, "%s", error);
        k->keys = file.keys;
        k->has_client = file.has_title;
        memcpy(k->client, file.title, sizeof k->client);
        wipe(&file, sizeof file);
    }
    const struct {
        const char *name, *text;
        uint8_t *out;
        size_t n;
        bool *has;
    } row[] = {{"guek", w->guek, k->keys.guek, 16, &k->keys.has_guek},
               {"gak", w->gak, k->keys.gak, 16, &k->keys.has_gak},
               {"kek", w->kek, k->keys.kek, 16, &k->keys.has_kek},
               {"dedicated", w->dedicated, k->dedicated, 16, &k->has_dedicated},
               {"client-title", w->client_title, k->client, DLMS_TITLE_LEN, &k->has_client},
               {"server-title", w->server_title, k->server, DLMS_TITLE_LEN, &k->has_server}};
    for (size_t i = 0; i < sizeof row / sizeof row[0] && code < 0; i++)
        code = take_key(v, row[i].name, row[i].text, row[i].out, row[i].n, row[i].has);
    return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct key_words w = {0};
    struct decoder d = {.verb = v};
    bool json = false;
    const struct cli_option options[] = {
        {"keys", CLI_TEXT, &w.file, "FILE", "keys as `name = value` lines"},
        {"guek", CLI_TEXT, &w.guek, "HEX", "encryption key; for test keys only: others see it"},
        {"gak", CLI_TEXT, &w.gak, "HEX", "authentication key; for test keys only"},
        {"kek", CLI_TEXT, &w.kek, "HEX", "master key; for test keys only"},
        {"dedicated", CLI_TEXT, &w.dedicated, "HEX", "dedicated key; for test keys only"},
        {"client-title", CLI_TEXT, &w.client_title, "HEX", "system title of the client"},
        {"server-title", CLI_TEXT, &w.server_title, "HEX", "system title of the meter"},
        {"tree", CLI_FLAG, &d.tree, NULL, "show the whole typed value where values are shown, too"},
        {"json", CLI_FLAG, &json, NULL, "one JSON array, an entry for each APDU"}};
    const char *words[1] = {"-"};
    size_t n;
    int code = cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, words, 1, &n);
    if (code < 0)
        code = take_keys(v, &w, &d.keys);
    if (code >= 0)
        return code;
    d.entries = json ? json_array() : NULL;
    code = decode_file(&d, words[0]);
    if (json && code < 0)
        value_print_json(d.entries, stdout);
    json_decref(d.entries);
    wipe(&d.keys, sizeof d.keys);
    if (code >= 0)
        return code;
    return d.bad ? CLI_BAD_DATA : d.insecure ? CLI_SECURITY : CLI_DONE;
}

const struct cli_verb verb_decode = {
    .name = "decode",
    .summary = "show what frames and APDUs say",
    .usage = "ferraris decode [OPTION]... [FILE]    (hex, log, octets, pcap; standard input: -)",
    .example = "echo C001C1000100002A0000FF0200 | ferraris decode\n"
               "ferraris decode --json --keys meter.keys capture.hex",
    .run = run,
};
