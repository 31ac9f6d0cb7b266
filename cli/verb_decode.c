/* `ferraris decode`: lines of hex, each a wrapper frame or a bare APDU, as trees. */
#include "cli/client_value.h"
#include "cli/decode_apdu.h"

#include "cli/cli.h"
#include "cli/keys_file.h"
#include "lib/dlms/wrapper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
    const struct cli_verb *verb;
    struct decode_keys keys;
    json_t *entries; /* NULL: print each at once */
    bool bad, insecure;
};

static void print_tree(const json_t *node, int depth)
{
    const json_t *value = json_object_get(node, "value");
    const char *type = json_string_value(json_object_get(node, "type"));
    if (type == NULL) { /* fields of a service */
        json_dumpf(node, stdout, VALUE_JSON_FLAGS | JSON_INDENT(2));
        putchar('\n');
        return;
    }
    printf("%*s%s", 2 * depth, "", type);
    if (!json_is_array(value)) {
        putchar(' ');
        json_dumpf(value, stdout, VALUE_JSON_FLAGS);
        putchar('\n');
        return;
    }
    printf(" of %zu\n", json_array_size(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        print_tree(json_array_get(value, i), depth + 1);
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text != NULL ? text : "";
}

static void print_entry(const json_t *e)
{
    const json_t *security = json_object_get(e, "security");
    const json_t *tree = json_object_get(e, "tree");
    size_t i;
    json_t *v;
    printf("%s  %s  %s\n", text_of(e, "transport"), text_of(e, "apdu"), text_of(e, "date_time"));
    if (json_is_object(security)) {
        printf("  security ");
        json_dumpf(security, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_array_foreach(json_object_get(e, "values"), i, v)
    {
        printf("  %-20s ", text_of(v, "obis"));
        json_dumpf(json_object_get(v, "value"), stdout, VALUE_JSON_FLAGS);
        printf(" %s  %s\n", text_of(v, "unit"), text_of(v, "name"));
    }
    if (!json_is_null(tree))
        print_tree(tree, 1);
    if (text_of(e, "error")[0] != '\0')
        printf("  error: %s\n", text_of(e, "error"));
}

static void finish_entry(struct decoder *d, json_t *entry, enum decode_result result)
{
    d->bad |= result == DECODE_MALFORMED;
    d->insecure |= result == DECODE_SECURITY;
    if (d->entries != NULL)
        json_array_append(d->entries, entry);
    else
        print_entry(entry);
    json_decref(entry);
}

static void refuse(struct decoder *d, const char *transport, const char *why)
{
    json_t *entry =
        json_pack("{s:s, s:n, s:n, s:n, s:n, s:[], s:n, s:s}", "transport", transport, "link",
                  "security", "apdu", "date_time", "values", "tree", "error", why);
    finish_entry(d, entry, DECODE_MALFORMED);
}

/* Wrapper frames may follow each other in one line. Gives the octets used, 0 after an error. */
static size_t decode_wrapper(struct decoder *d, uint8_t *p, size_t n)
{
    struct rd r = rd_of(p, n);
    (void)rd_u16(&r);
    const uint16_t source = rd_u16(&r), destination = rd_u16(&r);
    const size_t len = rd_u16(&r);
    char why[96];
    if (r.err || len > rd_left(&r)) {
        snprintf(why, sizeof why, "octet %zu: the frame announces %zu octets, %zu are there", r.pos,
                 len, rd_left(&r));
        refuse(d, "wrapper", why);
        return 0;
    }
    json_t *entry = json_pack("{s:s, s:{s:i, s:i, s:i}}", "transport", "wrapper", "link", "source",
                              source, "destination", destination, "length", (int)len);
    finish_entry(d, entry, decode_apdu(entry, p + WRAPPER_HEAD_LEN, len, &d->keys));
    return WRAPPER_HEAD_LEN + len;
}

static void decode_frame(struct decoder *d, uint8_t *p, size_t n)
{
    if (n >= 2 && p[0] == 0 && p[1] == WRAPPER_VERSION) {
        for (size_t at = 0, used = 1; at < n && used > 0; at += used)
            used = decode_wrapper(d, p + at, n - at);
    } else if (n > 0 && p[0] == 0x7E) {
        refuse(d, "hdlc", "octet 0: HDLC frames are not read; give wrapper frames or APDUs");
    } else if (n > 0 && p[0] == 0x68) {
        refuse(d, "mbus", "octet 0: M-Bus frames are not read; give wrapper frames or APDUs");
    } else {
        json_t *entry = json_pack("{s:s, s:n}", "transport", "apdu", "link");
        finish_entry(d, entry, decode_apdu(entry, p, n, &d->keys));
    }
}

/* Hex digits, spaces and colons between octets are skipped; in place. false: *at is the column. */
static bool from_hex(char *line, size_t *n, size_t *at)
{
    uint8_t *out = (uint8_t *)line;
    *n = 0;
    for (*at = 0; line[*at] != '\0';) {
        char pair[3] = {line[*at], '\0', '\0'};
        if (strchr(" \t\r\n:,", pair[0]) != NULL) {
            (*at)++;
            continue;
        }
        pair[1] = line[*at + 1];
        if (!keys_hex(pair, out + *n, 1))
            return false;
        (*n)++;
        *at += 2;
    }
    return true;
}

static void decode_line(struct decoder *d, char *line, unsigned number)
{
    char why[96];
    size_t n, at;
    if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
        return;
    if (!from_hex(line, &n, &at)) {
        snprintf(why, sizeof why, "line %u, column %zu: no hex digits", number, at + 1);
        refuse(d, "apdu", why);
        return;
    }
    decode_frame(d, (uint8_t *)line, n);
}

static int decode_file(struct decoder *d, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    if (f == NULL)
        return cli_fail(d->verb, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    errno = 0;
    for (unsigned number = 1; getline(&line, &size, f) >= 0; number++)
        decode_line(d, line, number);
    const bool broken = ferror(f) != 0;
    const int why = errno;
    free(line);
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
    .summary = "show what wrapper frames and APDUs say",
    .usage = "ferraris decode [OPTION]... [FILE]    (hex, a frame a line; standard input: -)",
    .example = "echo C001C1000100002A0000FF0200 | ferraris decode\n"
               "ferraris decode --json --keys meter.keys capture.hex",
    .run = run,
};
