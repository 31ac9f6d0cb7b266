/* Blocking calls over the client engine: one socket, one poll loop, one place that turns failures
 * into messages and exit codes. */
#include "cli/client_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/client_dial.h"

bool blob_add(struct blob *b, struct bytes part)
{
    if (part.len > b->size - b->len) {
        const size_t size = (b->len + part.len) * 2 + 256;
        uint8_t *p = realloc(b->p, size);
        if (p == NULL)
            return false;
        b->p = p;
        b->size = size;
    }
    if (part.len > 0)
        memcpy(b->p + b->len, part.p, part.len);
    b->len += part.len;
    return true;
}

void blob_free(struct blob *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum err fill_random(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    return getrandom(to, n, 0) == (ssize_t)n ? ERR_OK : ERR_RNG;
}

/* ---- messages ---- */

static int exit_code(enum err err)
{
    switch (err) {
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_IO:
        return CLI_LOST;
    case ERR_TAG:
    case ERR_REPLAY:
    case ERR_COUNTER:
    case ERR_KEY:
    case ERR_ACCESS:
    case ERR_RNG:
        return CLI_SECURITY;
    case ERR_REFUSED:
        return CLI_NO;
    case ERR_FULL:
        return CLI_USAGE;
    default:
        return CLI_BAD_DATA;
    }
}

static int report(const struct link *l)
{
    char text[256];
    cosem_client_explain(&l->client, text, sizeof text);
    const bool v6 = strchr(l->host, ':') != NULL;
    cli_fail(l->verb, 0, "%s%s%s:%s: %s", v6 ? "[" : "", l->host, v6 ? "]" : "", l->port, text);
    const struct cosem_client_failure *f = &l->client.failure;
    /* a meter that refuses an AARQ does not say whether key, counter or password displeased it */
    const bool ciphered = l->client.config.security != 0;
    const bool refused = f->err == ERR_TAG && f->during == CLIENT_ASSOCIATING;
    if (refused && !ciphered && l->client.config.mechanism == DLMS_MECHANISM_LLS)
        fprintf(stderr, "  wrong password\n");
    if ((f->err == ERR_REPLAY || (refused && ciphered)) && f->why != CLIENT_WHY_COUNTER)
        fprintf(stderr, "  wrong key, or an old invocation counter: --counter read asks the meter "
                        "for its counter\n");
    return exit_code(f->err);
}

/* ---- the line ---- */

static bool write_all(struct link *l)
{
    uint8_t out[4096];
    size_t n;
    while ((n = cosem_client_take(&l->client, out, sizeof out)) > 0)
        for (size_t at = 0; at < n;) {
            const ssize_t done = send(l->fd, out + at, n - at, MSG_NOSIGNAL);
            if (done < 0 && errno == EINTR)
                continue;
            if (done <= 0)
                return false;
            at += (size_t)done;
        }
    return true;
}

/* Waits for octets until the engine's deadline and feeds them. False when the line is gone. */
static bool read_some(struct link *l)
{
    uint8_t in[4096];
    const uint64_t deadline = cosem_client_poll(&l->client, now_ms());
    const uint64_t now = now_ms();
    if (!cosem_client_waiting(&l->client)) /* just timed out: nothing ends a wait any more */
        return true;
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    int wait = -1;
    if (deadline != UINT64_MAX)
        wait = deadline <= now ? 0 : (int)(deadline - now + 1);
    const int ready = poll(&p, 1, wait);
    if (ready < 0)
        return errno == EINTR;
    if (ready == 0) {
        cosem_client_poll(&l->client, now_ms());
        return true;
    }
    const ssize_t n = recv(l->fd, in, sizeof in, 0);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    for (size_t at = 0; at < (size_t)n && l->client.state != CLIENT_FAILED;) {
        const size_t used = cosem_client_feed(&l->client, now_ms(), in + at, (size_t)n - at);
        at += used;
        if (used == 0 && !write_all(l))
            return false;
    }
    return true;
}

/* Runs the operation under way to its end. */
static int run(struct link *l)
{
    while (cosem_client_waiting(&l->client))
        if (!write_all(l) || !read_some(l))
            cosem_client_lost(&l->client);
    return l->client.failure.err ? report(l) : LINK_OK;
}

static int started(struct link *l, enum err err)
{
    return err ? report(l) : run(l);
}

/* ---- calls ---- */

struct receiver {
    struct link *l;
    struct blob *out;
    enum cosem_result *result;
    const char *progress;
    uint32_t n_elements; /* of the array under way, 0 until known */
};

static bool receive(void *context, uint32_t index, struct bytes part)
{
    struct receiver *r = context;
    (void)index;
    if (r->progress != NULL) {
        const uint32_t left = client_scan_elements_left(&r->l->client.scan);
        if (left > r->n_elements)
            r->n_elements = left;
        if (r->n_elements > 0)
            cli_progress(r->progress, 1.0 - (double)left / r->n_elements);
    }
    return blob_add(r->out, part);
}

static void receive_end(void *context, uint32_t index, enum cosem_result result)
{
    struct receiver *r = context;
    (void)index;
    *r->result = result;
}

int link_get(struct link *l, const struct apdu_attr *attr, struct blob *out,
             enum cosem_result *result, const char *progress)
{
    struct receiver r = {.l = l, .out = out, .result = result, .progress = progress};
    const struct cosem_client_sink sink = {.context = &r, .data = receive, .done = receive_end};
    out->len = 0;
    const int code = started(l, cosem_client_get(&l->client, now_ms(), attr, &sink));
    cli_progress_end();
    return code;
}

int link_set(struct link *l, const struct apdu_attr *attr, struct bytes value,
             enum cosem_result *result)
{
    struct receiver r = {.l = l, .result = result};
    const struct cosem_client_sink sink = {.context = &r, .done = receive_end};
    return started(l, cosem_client_set(&l->client, now_ms(), attr, value, &sink));
}

int link_action(struct link *l, const struct apdu_attr *method, struct blob *out,
                enum cosem_result *result)
{
    struct receiver r = {.l = l, .out = out, .result = result};
    const struct cosem_client_sink sink = {.context = &r, .data = receive, .done = receive_end};
    out->len = 0;
    return started(l, cosem_client_action(&l->client, now_ms(), method, &sink));
}

/* ---- opening ---- */

static int choose_auth(const struct link *l, const struct link_options *o,
                       struct cosem_client_config *k)
{
    static const struct {
        const char *name;
        uint8_t mechanism;
        uint16_t client;
        const char *security;
    } row[] = {{"none", DLMS_MECHANISM_NONE, 16, "none"},
               {"lls", DLMS_MECHANISM_LLS, 2, "none"},
               {"hls5", DLMS_MECHANISM_HLS5, 1, "authenc"}};
    static const struct {
        const char *name;
        uint8_t control;
    } protection[] = {{"none", 0},
                      {"auth", DLMS_SC_AUTH},
                      {"enc", DLMS_SC_ENC},
                      {"authenc", DLMS_SC_AUTH | DLMS_SC_ENC}};
    const char *security = o->security;
    bool found = false;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(o->auth, row[i].name) == 0) {
            k->mechanism = row[i].mechanism;
            k->client_sap = row[i].client;
            security = security != NULL ? security : row[i].security;
            found = true;
        }
    if (!found)
        return cli_fail(l->verb, CLI_USAGE, "--auth is none, lls or hls5, not '%s'", o->auth);
    for (size_t i = 0; i < sizeof protection / sizeof protection[0]; i++)
        if (strcmp(security, protection[i].name) == 0) {
            k->security = protection[i].control;
            return LINK_OK;
        }
    return cli_fail(l->verb, CLI_USAGE, "--security is none, auth, enc or authenc, not '%s'",
                    security);
}

static int check_numbers(const struct link *l, const struct link_options *o,
                         struct cosem_client_config *k)
{
    if (o->client > 0xFFFF || o->server > 0xFFFF)
        return cli_fail(l->verb, CLI_USAGE, "a SAP is a number up to 65535");
    if (o->max_pdu != 0 && (o->max_pdu < 64 || o->max_pdu > COSEM_CLIENT_PDU_MAX))
        return cli_fail(l->verb, CLI_USAGE, "--max-pdu is 64 to %d", COSEM_CLIENT_PDU_MAX);
    if (o->timeout_s == 0 || o->timeout_s > 86400)
        return cli_fail(l->verb, CLI_USAGE, "--timeout is 1 to 86400 seconds");
    if (o->client != 0)
        k->client_sap = (uint16_t)o->client;
    k->server_sap = (uint16_t)o->server;
    k->max_pdu = (uint16_t)o->max_pdu;
    k->timeout_ms = (uint32_t)o->timeout_s * 1000;
    return LINK_OK;
}

static int read_password_file(struct link *l, const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    if (fgets(l->password, sizeof l->password, f) == NULL)
        l->password[0] = '\0';
    fclose(f);
    l->password[strcspn(l->password, "\r\n")] = '\0';
    return LINK_OK;
}

static int find_password(struct link *l, const struct link_options *o)
{
    const char *environment = getenv("FERRARIS_PASSWORD");
    if (o->password_file != NULL) {
        const int code = read_password_file(l, o->password_file);
        if (code != LINK_OK)
            return code;
    } else if (l->keys.password[0] != '\0') {
        snprintf(l->password, sizeof l->password, "%s", l->keys.password);
    } else if (environment != NULL) {
        snprintf(l->password, sizeof l->password, "%s", environment);
    }
    if (l->password[0] == '\0')
        return cli_fail(l->verb, CLI_SECURITY,
                        "no password: give --password-file, --keys or FERRARIS_PASSWORD");
    return LINK_OK;
}

static int read_keys(struct link *l, const struct link_options *o, bool ciphers)
{
    char error[640];
    if (o->keys == NULL && ciphers)
        return cli_fail(l->verb, CLI_SECURITY, "keys are needed: give --keys FILE");
    if (o->keys == NULL)
        return LINK_OK;
    enum err err = keys_file_read(&l->keys, o->keys, error, sizeof error);
    if (err)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s", error);
    if (l->keys.warning[0] != '\0')
        cli_fail(l->verb, 0, "%s: %s", o->keys, l->keys.warning);
    if (!ciphers)
        return LINK_OK;
    if (!l->keys.keys.has_guek || !l->keys.keys.has_gak)
        return cli_fail(l->verb, CLI_SECURITY, "%s: guek and gak are needed", o->keys);
    err = keys_state_open(&l->state, &l->keys, error, sizeof error);
    if (err)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s", error);
    return LINK_OK;
}

static int connect_line(struct link *l, uint32_t timeout_ms)
{
    char error[320];
    l->fd = client_dial(l->host, l->port, timeout_ms, error, sizeof error);
    if (l->fd < 0)
        return cli_fail(l->verb, CLI_LOST, "%s", error);
    return LINK_OK;
}

static void hang_up(struct link *l)
{
    if (l->client.state == CLIENT_READY && cosem_client_release(&l->client, now_ms()) == ERR_OK)
        while (cosem_client_waiting(&l->client))
            if (!write_all(l) || !read_some(l))
                cosem_client_lost(&l->client);
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* Nothing protects the public client's answer: believed without bound it would burn the counter,
 * ours and the one the meter then expects. */
#define COUNTER_LEAP_MAX (UINT32_C(1) << 24)

static void take_counter(struct link *l, struct bytes value)
{
    struct rd r = rd_of(value.p, value.len);
    const uint64_t used = axdr_get_uint(&r);
    if (r.err || used > UINT32_MAX || used < l->state.counter.next)
        return;
    if (used - l->state.counter.next > COUNTER_LEAP_MAX)
        cli_fail(l->verb, 0,
                 "%s expects a counter far above ours, which is not believed; if it is true give "
                 "--counter %llu",
                 l->host, (unsigned long long)used);
    else
        keys_state_raise(&l->state, (uint32_t)used);
}

/* The meter's view of our counter, through the public client: 0-0:43.1.<client>.255, or .0. */
static void read_counter(struct link *l, const struct cosem_client_config *wanted)
{
    const struct cosem_client_config public_client = {
        .client_sap = 16, .server_sap = wanted->server_sap, .timeout_ms = wanted->timeout_ms};
    struct apdu_attr attr = {.class_id = 1, .ln = {0, 0, 43, 1, 0, 255}, .id = 2};
    const uint8_t last[2] = {(uint8_t)wanted->client_sap, 0};
    struct blob value = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    if (cosem_client_init(&l->client, &public_client) ||
        connect_line(l, wanted->timeout_ms) != LINK_OK ||
        started(l, cosem_client_connect(&l->client, now_ms())) != LINK_OK) {
        hang_up(l);
        return;
    }
    for (int i = 0; i < 2 && l->client.state == CLIENT_READY; i++) {
        attr.ln[4] = last[i];
        if (link_get(l, &attr, &value, &result, NULL) != LINK_OK || result != COSEM_SUCCESS)
            continue;
        take_counter(l, (struct bytes){value.p, value.len});
        break;
    }
    blob_free(&value);
    hang_up(l);
}

static int set_counter(struct link *l, const struct link_options *o,
                       const struct cosem_client_config *k)
{
    if (o->counter == NULL ? !l->state.known : strcmp(o->counter, "read") == 0) {
        read_counter(l, k);
    } else if (o->counter != NULL) {
        char *end;
        errno = 0;
        const unsigned long long n = strtoull(o->counter, &end, 10);
        if (errno != 0 || *end != '\0' || end == o->counter || n >= UINT32_MAX)
            return cli_fail(l->verb, CLI_USAGE, "--counter is a number below 4294967295 or 'read'");
        keys_state_raise(&l->state, (uint32_t)n);
    }
    return LINK_OK;
}

int link_open(struct link *l, const struct cli_verb *verb, const char *url,
              const struct link_options *o)
{
    struct cosem_client_config k = {0};
    memset(l, 0, sizeof *l);
    l->verb = verb;
    l->fd = -1;
    l->rng.fill = fill_random;
    const char *wrong = client_url(url, l->host, sizeof l->host, l->port, sizeof l->port);
    if (wrong != NULL)
        return cli_fail(verb, CLI_USAGE, "'%s' %s", url, wrong);
    int code = choose_auth(l, o, &k);
    if (code == LINK_OK)
        code = check_numbers(l, o, &k);
    const bool ciphers = k.security != 0 || k.mechanism == DLMS_MECHANISM_HLS5;
    if (code == LINK_OK)
        code = read_keys(l, o, ciphers);
    if (code == LINK_OK && k.mechanism == DLMS_MECHANISM_LLS)
        code = find_password(l, o);
    if (code == LINK_OK && ciphers)
        code = set_counter(l, o, &k);
    if (code != LINK_OK)
        return code;
    k.keys = &l->keys.keys;
    k.counter = &l->state.counter;
    k.rng = &l->rng;
    k.password = l->password;
    memcpy(k.title, l->state.title, sizeof k.title);
    enum err err = cosem_client_init(&l->client, &k);
    if (err)
        return cli_fail(verb, exit_code(err), "%s", err_text(err));
    code = connect_line(l, k.timeout_ms);
    return code != LINK_OK ? code : started(l, cosem_client_connect(&l->client, now_ms()));
}

void link_close(struct link *l)
{
    hang_up(l);
    wipe(&l->keys.keys, sizeof l->keys.keys);
    wipe(l->keys.password, sizeof l->keys.password);
    wipe(l->password, sizeof l->password);
}
