/* Blocking calls over the client engine: one line, one poll loop, one place that turns failures
 * into messages and exit codes. */
#include "cli/client_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/client_setup.h"

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

/* A line over which nothing at all came back: what is usually wrong there. */
static void hint_silence(const struct link *l)
{
    const struct cosem_client_config *k = &l->client.config;
    const bool serial = l->line.url.kind == LINE_SERIAL;
    const struct line_url *url = &l->line.url;
    if (serial && url->mode_e)
        fprintf(stderr, "  is the optical head in place and the right way up? without mode=e there "
                        "is no sign-on\n");
    else if (serial || url->kind == LINE_HDLC_TCP)
        fprintf(stderr,
                "  asked HDLC address %u (--hdlc-address), logical device %u (--server), as "
                "client %u (--client)%s\n",
                l->physical, k->server_sap, k->client_sap,
                serial ? "; other baud=, or mode=e?" : "");
    else if (url->kind == LINE_UDP)
        fprintf(stderr, "  does the meter listen on UDP, and on this port?\n");
}

static int report(const struct link *l)
{
    char text[256];
    if (l->line.stuck)
        return cli_fail(l->verb, CLI_LOST, "%s: it took nothing of what was sent for %u ms",
                        l->line.name, (unsigned)l->line.timeout_ms);
    cosem_client_explain(&l->client, text, sizeof text);
    cli_fail(l->verb, 0, "%s: %s", l->line.name, text);
    const struct cosem_client_failure *f = &l->client.failure;
    /* a meter that refuses an AARQ does not say whether key, counter or password displeased it */
    const bool ciphered = l->client.config.security != 0;
    const bool refused = f->err == ERR_TAG && f->during == CLIENT_ASSOCIATING;
    if (refused && !ciphered && l->client.config.mechanism == DLMS_MECHANISM_LLS)
        fprintf(stderr, "  wrong password\n");
    if ((f->err == ERR_REPLAY || (refused && ciphered)) && f->why != CLIENT_WHY_COUNTER)
        fprintf(stderr, "  wrong key, or an old invocation counter: --counter read asks the meter "
                        "for its counter\n");
    const bool opening = f->during == CLIENT_OPENING || f->during == CLIENT_ASSOCIATING;
    if (opening && exit_code(f->err) == CLI_LOST)
        hint_silence(l);
    if (opening && f->err == ERR_REFUSED)
        fprintf(stderr,
                "  it may not know client %u (--client), logical device %u (--server) or "
                "this --auth\n",
                l->client.config.client_sap, l->client.config.server_sap);
    return exit_code(f->err);
}

/* ---- the line ---- */

/* Octets and time until nothing is awaited any more. */
static void pump(struct link *l)
{
    struct cosem_client *c = &l->client;
    (void)cosem_client_poll(c, client_line_now());
    while (cosem_client_waiting(c)) {
        const bool written = client_line_write(&l->line, c);
        const uint64_t deadline = cosem_client_poll(c, client_line_now());
        if (!cosem_client_waiting(c)) /* just timed out */
            break;
        if (!written || !client_line_read(&l->line, c, deadline))
            cosem_client_lost(c);
        else
            (void)cosem_client_poll(c, client_line_now());
    }
    (void)client_line_write(&l->line, c); /* a last word, as HDLC's */
}

/* Runs the operation under way to its end. */
static int run(struct link *l)
{
    pump(l);
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
    const int code = started(l, cosem_client_get(&l->client, client_line_now(), attr, &sink));
    cli_progress_end();
    return code;
}

int link_set(struct link *l, const struct apdu_attr *attr, struct bytes value,
             enum cosem_result *result)
{
    struct receiver r = {.l = l, .result = result};
    const struct cosem_client_sink sink = {.context = &r, .done = receive_end};
    return started(l, cosem_client_set(&l->client, client_line_now(), attr, value, &sink));
}

int link_action(struct link *l, const struct apdu_attr *method, struct blob *out,
                enum cosem_result *result)
{
    struct receiver r = {.l = l, .out = out, .result = result};
    const struct cosem_client_sink sink = {.context = &r, .data = receive, .done = receive_end};
    out->len = 0;
    return started(l, cosem_client_action(&l->client, client_line_now(), method, &sink));
}

/* ---- opening ---- */

/* Client engine and line for this configuration, and the association. */
static int associate(struct link *l, struct cosem_client_config *k)
{
    const struct client_line_options o = {.client = k->client_sap,
                                          .server = k->server_sap,
                                          .physical = l->physical,
                                          .timeout_ms = k->timeout_ms};
    enum err err = client_line_dial(&l->line, &o);
    if (err)
        return cli_fail(l->verb, err == ERR_RANGE ? CLI_USAGE : CLI_LOST, "%s",
                        l->line.error[0] != '\0' ? l->line.error : err_text(err));
    k->link = l->line.link;
    err = cosem_client_init(&l->client, k);
    if (err)
        return cli_fail(l->verb, exit_code(err), "%s", err_text(err));
    return started(l, cosem_client_connect(&l->client, client_line_now()));
}

static void hang_up(struct link *l)
{
    if (l->client.state == CLIENT_READY &&
        cosem_client_release(&l->client, client_line_now()) == ERR_OK)
        pump(l);
    client_line_close(&l->line);
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
                 l->line.name, (unsigned long long)used);
    else
        keys_state_raise(&l->state, (uint32_t)used);
}

/* The meter's view of our counter, through the public client: 0-0:43.1.<client>.255, or .0. */
static void read_counter(struct link *l, const struct cosem_client_config *wanted)
{
    struct cosem_client_config public_client = {
        .client_sap = 16, .server_sap = wanted->server_sap, .timeout_ms = wanted->timeout_ms};
    struct apdu_attr attr = {.class_id = 1, .ln = {0, 0, 43, 1, 0, 255}, .id = 2};
    const uint8_t last[2] = {(uint8_t)wanted->client_sap, 0};
    struct blob value = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    if (associate(l, &public_client) != LINK_OK) {
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

/* The longest answer by general block transfer: years of a load profile. */
#define BLOCKS_SIZE (UINT32_C(4) << 20)

static int make_room(struct link *l, struct cosem_client_config *k)
{
    l->blocks = malloc(BLOCKS_SIZE);
    if (l->blocks == NULL)
        return cli_fail(l->verb, CLI_BUG, "%s", err_text(ERR_MEMORY));
    k->gbt_buffer = l->blocks;
    k->gbt_size = BLOCKS_SIZE;
    return LINK_OK;
}

int link_open(struct link *l, const struct cli_verb *verb, const char *url,
              const struct link_options *o)
{
    struct cosem_client_config k;
    memset(l, 0, sizeof *l);
    l->verb = verb;
    l->rng.fill = fill_random;
    const char *wrong = client_line_init(&l->line, url);
    if (wrong != NULL)
        return cli_fail(verb, CLI_USAGE, "'%s' %s", url, wrong);
    int code = client_setup(l, o, &k);
    l->physical = (uint16_t)o->hdlc_address;
    const bool ciphers = k.security != 0 || k.mechanism == DLMS_MECHANISM_HLS5;
    if (code == LINK_OK && k.gbt_window > 0)
        code = make_room(l, &k);
    if (code == LINK_OK && ciphers)
        code = set_counter(l, o, &k);
    return code == LINK_OK ? associate(l, &k) : code;
}

void link_close(struct link *l)
{
    hang_up(l);
    cosem_client_end(&l->client);
    free(l->blocks);
    l->blocks = NULL;
    wipe(&l->keys.keys, sizeof l->keys.keys);
    wipe(l->keys.password, sizeof l->keys.password);
    wipe(l->password, sizeof l->password);
}
