/* See server_talk.h. Recording and replaying differ in two places only: where the octets of the
 * server come from (hear) and what becomes of those of the client (say). */
#include "tests/interop/server_talk.h"

#include "lib/cosem/client.h"
#include "lib/cosem/profile_select.h"
#include "lib/dlms/hdlc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/hex.h"

#define HEAD    64u /* octets of a value that a vector tells */
#define ITEMS   COSEM_CLIENT_LIST_MAX
#define OCTETS  4096u
#define VALUE_S 32768u

struct item {
    enum cosem_result result;
    size_t len;
    uint8_t value[VALUE_S];
};

struct talk {
    const char *name;
    FILE *in, *out; /* out: NULL in a replay */
    int fd;
    uint16_t port;
    size_t line;
    char text[2 * OCTETS + 64];
    bool is_hdlc, started;
    struct cosem_client_config config;
    struct hdlc_config hdlc_config;
    struct hdlc hdlc;
    uint8_t buffer[OCTETS];
    struct cosem_client client;
    char password[32];
    uint64_t now_ms;
    char direction; /* of the line of `out` that is not ended; 0: none */
    uint8_t heard[OCTETS];
    size_t n_heard, n_fed;
    struct item item[ITEMS];
    uint32_t n_items;
    unsigned n_operations, n_succeeded, n_refused;
};

/* The next line of the vector that is not a remark; false at the end. */
static bool next_line(struct talk *t)
{
    do {
        if (fgets(t->text, sizeof t->text, t->in) == NULL)
            return false;
        t->line++;
        t->text[strcspn(t->text, "\r\n")] = '\0';
        if (t->out != NULL && t->text[0] == '#')
            fprintf(t->out, "%s\n", t->text);
    } while (t->text[0] == '#' || t->text[0] == '\0');
    return true;
}

/* ---- octets ---- */

static void write_octets(struct talk *t, char direction, const uint8_t *p, size_t n)
{
    if (t->direction != direction && t->direction != 0)
        fputc('\n', t->out);
    if (t->direction != direction && direction != 0)
        fprintf(t->out, "%c ", direction);
    t->direction = direction;
    for (size_t i = 0; i < n; i++)
        fprintf(t->out, "%02X", p[i]);
}

static void say(struct talk *t, const uint8_t *p, size_t n)
{
    uint8_t was[OCTETS];
    if (t->out != NULL) {
        write_octets(t, '>', p, n);
        assert_int_equal(send(t->fd, p, n, 0), n);
        return;
    }
    if (!next_line(t) || t->text[0] != '>')
        fail_msg("%s line %zu: the client said more than was recorded", t->name, t->line);
    size_t n_was = hex_octets(t->text + 1, was, sizeof was);
    if (n != n_was || memcmp(p, was, n) != 0)
        fail_msg("%s line %zu: the client said something else", t->name, t->line);
}

static void hear(struct talk *t)
{
    t->n_fed = 0;
    if (t->out != NULL) {
        ssize_t got = recv(t->fd, t->heard, sizeof t->heard, 0);
        assert_true(got > 0);
        t->n_heard = (size_t)got;
        return;
    }
    if (!next_line(t) || t->text[0] != '<')
        fail_msg("%s line %zu: the client waits, nothing was recorded", t->name, t->line);
    t->n_heard = hex_octets(t->text + 1, t->heard, sizeof t->heard);
}

static void feed(struct talk *t)
{
    size_t used =
        cosem_client_feed(&t->client, t->now_ms, t->heard + t->n_fed, t->n_heard - t->n_fed);
    if (t->out != NULL && used > 0)
        write_octets(t, '<', t->heard + t->n_fed, used);
    t->n_fed += used;
}

/* All that is said and heard until the operation is over. */
static void exchange(struct talk *t)
{
    uint8_t to[OCTETS];
    for (;;) {
        size_t n = 0, moved;
        while ((moved = cosem_client_take(&t->client, to + n, sizeof to - n)) > 0)
            n += moved;
        if (n > 0) {
            t->now_ms++;
            say(t, to, n);
        } else if (!cosem_client_waiting(&t->client)) {
            break;
        } else {
            if (t->n_fed == t->n_heard)
                hear(t);
            feed(t);
        }
    }
    assert_int_equal(t->n_fed, t->n_heard);
    if (t->out != NULL)
        write_octets(t, 0, NULL, 0);
}

/* ---- results ---- */

static bool sink_data(void *context, uint32_t index, struct bytes part)
{
    struct talk *t = context;
    struct item *i = &t->item[index];
    assert_true(index < ITEMS && i->len + part.len <= VALUE_S);
    memcpy(i->value + i->len, part.p, part.len);
    i->len += part.len;
    return true;
}

static void sink_done(void *context, uint32_t index, enum cosem_result result)
{
    struct talk *t = context;
    assert_int_equal(index, t->n_items);
    t->item[index].result = result;
    t->n_items++;
    t->n_succeeded += result == COSEM_SUCCESS;
    t->n_refused += result != COSEM_SUCCESS;
}

static unsigned elements_of(const struct item *i)
{
    if (i->len < 2 || (i->value[0] != 1 && i->value[0] != 2))
        return 0;
    struct rd r = rd_of(i->value + 1, i->len - 1);
    size_t n = rd_length(&r);
    assert_int_equal(r.err, ERR_OK);
    return (unsigned)n;
}

static void tell_item(struct talk *t, const struct item *i)
{
    char is[2 * HEAD + 64];
    int n = snprintf(is, sizeof is, "= %d %zu %u ", (int)i->result, i->len, elements_of(i));
    for (size_t k = 0; k < i->len && k < HEAD; k++)
        n += snprintf(is + n, sizeof is - (size_t)n, "%02X", i->value[k]);
    if (t->out != NULL) {
        fprintf(t->out, "%s\n", is);
        return;
    }
    if (!next_line(t))
        fail_msg("%s ends too early", t->name);
    if (strcmp(t->text, is) != 0)
        fail_msg("%s line %zu: read %s", t->name, t->line, is);
}

/* ---- operations ---- */

static void parse_ln(const char *text, uint8_t ln[6])
{
    unsigned v[6];
    assert_int_equal(sscanf(text, "%u.%u.%u.%u.%u.%u", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]),
                     6);
    for (size_t i = 0; i < 6; i++)
        ln[i] = (uint8_t)v[i];
}

static void init_client(struct talk *t)
{
    t->started = true;
    t->config.server_sap = 1;
    t->config.timeout_ms = 10000;
    t->config.password = t->password;
    t->config.mechanism = t->password[0] != '\0' ? DLMS_MECHANISM_LLS : DLMS_MECHANISM_NONE;
    if (t->is_hdlc) {
        struct hdlc_config *k = &t->hdlc_config;
        k->parameters = (struct hdlc_parameters){
            .max_info_tx = 512, .max_info_rx = 512, .window_tx = 1, .window_rx = 1};
        k->client_sap = t->config.client_sap;
        k->server_sap = 1;
        k->address_size = k->server_lower == 0 ? 1 : 4;
        k->response_ms = 3000;
        k->retries = 2;
        assert_int_equal(hdlc_client_init(&t->hdlc, k, t->buffer, sizeof t->buffer), ERR_OK);
        t->config.link = &t->hdlc.link;
    }
    assert_int_equal(cosem_client_init(&t->client, &t->config), ERR_OK);
}

static void dial(struct talk *t)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(t->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(t->fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void associate(struct talk *t)
{
    if (t->out != NULL)
        dial(t);
    if (!t->started)
        init_client(t);
    assert_int_equal(cosem_client_connect(&t->client, t->now_ms), ERR_OK);
    exchange(t);
    assert_int_equal(t->client.state, CLIENT_READY);
}

static void release(struct talk *t)
{
    assert_int_equal(cosem_client_release(&t->client, t->now_ms), ERR_OK);
    exchange(t);
    assert_int_equal(t->client.state, CLIENT_CLOSED);
    if (t->out != NULL)
        close(t->fd);
}

static size_t parse_list(char *words, struct apdu_attr attrs[ITEMS])
{
    unsigned class_id, id;
    int used = 0;
    size_t n = 0;
    assert_int_equal(sscanf(words, "%u %u %n", &class_id, &id, &used), 2);
    for (char *w = strtok(words + used, " "); w != NULL; w = strtok(NULL, " ")) {
        assert_true(n < ITEMS);
        attrs[n] = (struct apdu_attr){.class_id = (uint16_t)class_id, .id = (uint8_t)id};
        parse_ln(w, attrs[n++].ln);
    }
    return n;
}

/* What follows the name of get, set and action. */
static struct bytes parse_attr(const char *words, struct apdu_attr *attr, uint8_t value[OCTETS])
{
    unsigned class_id, id;
    char ln[32];
    int used = 0;
    assert_int_equal(sscanf(words, "%u %31s %u %n", &class_id, ln, &id, &used), 3);
    attr->class_id = (uint16_t)class_id;
    attr->id = (uint8_t)id;
    parse_ln(ln, attr->ln);
    return (struct bytes){value, hex_octets(words + used, value, OCTETS)};
}

/* The buffer of a profile, by entry or by range. */
static void parse_rows(const char *words, bool by_range, struct apdu_attr *attr, struct wr *w)
{
    struct profile_range range = {
        .by = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2}};
    struct profile_entries entries = {.from_column = 1};
    uint8_t from[14] = {9, 12}, to[14] = {9, 12};
    char ln[32], a[32], b[32];
    assert_int_equal(sscanf(words, "%31s %31s %31s", ln, a, b), 3);
    attr->class_id = 7;
    attr->id = 2;
    parse_ln(ln, attr->ln);
    if (by_range) {
        assert_int_equal(hex_octets(a, from + 2, 12) + hex_octets(b, to + 2, 12), 24);
        range.from = (struct bytes){from, sizeof from};
        range.to = (struct bytes){to, sizeof to};
        profile_put_range(w, &range);
    } else {
        entries.from = (uint32_t)strtoul(a, NULL, 10);
        entries.to = (uint32_t)strtoul(b, NULL, 10);
        profile_put_entries(w, &entries);
    }
    attr->selector = by_range ? PROFILE_BY_RANGE : PROFILE_BY_ENTRY;
    attr->parameter = (struct bytes){w->p, w->len};
}

static void operate(struct talk *t, const char *verb, char *words)
{
    static struct apdu_attr attrs[ITEMS];
    const struct cosem_client_sink sink = {t, sink_data, sink_done};
    uint8_t octets[OCTETS];
    struct apdu_attr attr = {0};
    struct wr w = wr_of(octets, sizeof octets);
    enum err err = ERR_RANGE;
    for (size_t i = 0; i < ITEMS; i++)
        t->item[i].len = 0;
    t->n_items = 0;
    t->n_operations++;
    if (strcmp(verb, "get") == 0) {
        (void)parse_attr(words, &attr, octets);
        err = cosem_client_get(&t->client, t->now_ms, &attr, &sink);
    } else if (strcmp(verb, "list") == 0) {
        err = cosem_client_get_list(&t->client, t->now_ms, attrs, parse_list(words, attrs), &sink);
    } else if (strcmp(verb, "entries") == 0 || strcmp(verb, "range") == 0) {
        parse_rows(words, strcmp(verb, "range") == 0, &attr, &w);
        err = cosem_client_get(&t->client, t->now_ms, &attr, &sink);
    } else if (strcmp(verb, "set") == 0) {
        struct bytes value = parse_attr(words, &attr, octets);
        err = cosem_client_set(&t->client, t->now_ms, &attr, value, &sink);
    } else if (strcmp(verb, "action") == 0) {
        attr.parameter = parse_attr(words, &attr, octets);
        err = cosem_client_action(&t->client, t->now_ms, &attr, &sink);
    }
    if (err)
        fail_msg("%s line %zu: %s: %s", t->name, t->line, verb, err_text(err));
    exchange(t);
    if (t->client.state != CLIENT_READY)
        fail_msg("%s line %zu: %s failed, why %d", t->name, t->line, verb, t->client.failure.why);
    for (uint32_t i = 0; i < t->n_items; i++)
        tell_item(t, &t->item[i]);
}

static void copy_text(char *to, size_t size, const char *text)
{
    const size_t n = strlen(text);
    assert_true(n < size);
    memcpy(to, text, n + 1);
}

static bool set_up(struct talk *t, const char *verb, const char *words)
{
    const uint16_t number = (uint16_t)strtoul(words, NULL, 10);
    if (strcmp(verb, "link") == 0)
        t->is_hdlc = strcmp(words, "hdlc") == 0;
    else if (strcmp(verb, "client") == 0)
        t->config.client_sap = number;
    else if (strcmp(verb, "physical") == 0)
        t->hdlc_config.server_lower = number;
    else if (strcmp(verb, "password") == 0)
        copy_text(t->password, sizeof t->password, words);
    else
        return false;
    return true;
}

static bool is_logical_name_of_device(const char *verb, const char *words)
{
    return strcmp(verb, "get") == 0 && strncmp(words, "1 0.0.42.0.0.255 2", 18) == 0;
}

static void check_facts(const struct talk *t, const char *verb, const char *words,
                        const struct server_facts *f)
{
    const struct item *i = &t->item[0];
    uint8_t row[64];
    if (is_logical_name_of_device(verb, words)) {
        assert_int_equal(i->len, 2 + strlen(f->name));
        assert_memory_equal(i->value + 2, f->name, strlen(f->name));
    } else if (strcmp(verb, "get") == 0 && strncmp(words, "15 ", 3) == 0) {
        assert_int_equal(elements_of(i), f->n_objects);
    } else if (strcmp(verb, "entries") == 0) {
        size_t n = hex_octets(f->first, row, sizeof row);
        assert_int_equal(elements_of(i), f->n_rows);
        assert_true(i->len >= 2 + n);
        assert_memory_equal(i->value + 2, row, n);
    }
}

static void run(struct talk *t, const struct server_facts *facts)
{
    char verb[16], words[OCTETS];
    while (next_line(t)) {
        int used = 0;
        assert_int_equal(sscanf(t->text, "%15s %n", verb, &used), 1);
        copy_text(words, sizeof words, t->text + used);
        if (t->out != NULL)
            fprintf(t->out, "%s\n", t->text);
        if (set_up(t, verb, words))
            continue;
        if (strcmp(verb, "connect") == 0) {
            associate(t);
        } else if (strcmp(verb, "release") == 0) {
            release(t);
        } else {
            char asked[OCTETS];
            memcpy(asked, words, sizeof asked);
            operate(t, verb, words);
            if (facts != NULL)
                check_facts(t, verb, asked, facts);
        }
    }
    cosem_client_end(&t->client);
}

int server_record(char **argv)
{
    static struct talk t;
    t.name = argv[2];
    t.in = fopen(argv[2], "r");
    t.port = (uint16_t)atoi(argv[3]);
    t.out = fopen(argv[4], "w");
    if (t.in == NULL || t.out == NULL) {
        perror("test_interop --record-server");
        return 1;
    }
    run(&t, NULL);
    fclose(t.in);
    return fclose(t.out) != 0;
}

void server_replay(const char *name, const struct server_facts *facts)
{
    static struct talk t;
    char path[400];
    memset(&t, 0, sizeof t);
    t.name = name;
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/interop/%s", name);
    t.in = fopen(path, "r");
    assert_non_null(t.in);
    run(&t, facts);
    fclose(t.in);
    print_message("%s: %u operations, %u items as recorded, %u refused\n", name, t.n_operations,
                  t.n_succeeded, t.n_refused);
    assert_int_equal(t.n_succeeded, facts->n_succeeded);
    assert_int_equal(t.n_refused, facts->n_refused);
}
