/* The reader's states and its dealings with the client.
 *
 *     IDLE, DONE, FAILED ── begin on a new line ──► BUSY ── plan done ──► READY
 *     READY ── begin ──► BUSY ── plan done ──► READY
 *     READY ── release ──► BUSY (STEP_RELEASE) ── RLRE, time-out, line lost ──► DONE
 *     READY ── line lost ──► DONE
 *     BUSY ── failure ──► FAILED
 *
 * Within BUSY: step says what is read, at which object of it. `asked` is true while the client has
 * a request of this step under way; when the client is idle again the step's done() has been called
 * for each value, or the meter refused the request as a whole (n_left > 0).
 *
 * Every pass of settle() sends a request, ends one, or moves at, column or step forward: it ends.
 */
#include "headend/collect/reader_parts.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX   32u             /* values asked for at once */
#define LIST_HEAD  40u             /* of an answer, with protection */
#define LIST_VALUE 10u             /* octets of a 64-bit number and its choice */
#define IDLE_MAX   (1024u * 1024u) /* octets of an answer that bring nothing */

static const struct reader_step *const step_of[N_STEPS] = {
    [STEP_NAME] = &reader_step_name,
    [STEP_SERIAL] = &reader_step_serial,
    [STEP_LIST] = &reader_step_list,
    [STEP_SCALERS] = &reader_step_scalers,
    [STEP_COLUMNS] = &reader_step_columns,
    [STEP_PERIOD] = &reader_step_period,
    [STEP_UNITS] = &reader_step_units,
    [STEP_SAME_COLUMNS] = &reader_step_same_columns,
    [STEP_SAME_PERIOD] = &reader_step_same_period,
    [STEP_SAME_NAME] = &reader_step_same_name,
    [STEP_CLOCK] = &reader_step_clock,
    [STEP_SET_CLOCK] = &reader_step_set_clock,
    [STEP_REGISTERS] = &reader_step_registers,
    [STEP_ROWS] = &reader_step_rows,
};

enum err reader_init(struct reader *r, const struct cosem_client_config *client)
{
    memset(r, 0, sizeof *r);
    return cosem_client_init(&r->client, client);
}

void reader_go(struct reader *r, enum reader_step_id step)
{
    r->step = (uint8_t)step;
    r->at = r->column = 0;
}

/* ---- the end ---- */

void reader_fail(struct reader *r, const char *sentence)
{
    const bool releasing = r->step == STEP_RELEASE; /* what was to be read has been read */
    r->state = releasing ? READER_DONE : READER_FAILED;
    if (!releasing)
        snprintf(r->failure, sizeof r->failure, "%s", sentence);
}

void reader_fail_changed(struct reader *r, const char *sentence)
{
    r->changed = true;
    reader_fail(r, sentence);
}

/* Answers that another attempt with the same keys will not change. */
static bool is_security(const struct cosem_client_failure *f)
{
    switch (f->why) {
    case CLIENT_WHY_DECIPHER:
    case CLIENT_WHY_WEAK:
    case CLIENT_WHY_COUNTER:
    case CLIENT_WHY_HLS:
        return true;
    case CLIENT_WHY_REFUSED:
        return f->source == ACSE_SOURCE_USER && f->detail >= ACSE_DIAG_MECHANISM_UNKNOWN &&
               f->detail <= ACSE_DIAG_AUTHENTICATION_REQUIRED;
    default:
        return f->err == ERR_TAG || f->err == ERR_REPLAY || f->err == ERR_COUNTER ||
               f->err == ERR_KEY;
    }
}

/* "the profile 1-0:99.1.0.255", or what else the step is about. */
static void name_object(const struct reader *r, char *out, size_t size)
{
    const struct reader_objects *o = r->plan.objects;
    char name[OBIS_TEXT] = "";
    const bool registers = r->step == STEP_SCALERS || r->step == STEP_REGISTERS;
    const bool profiles =
        r->step == STEP_ROWS || (r->step >= STEP_COLUMNS && r->step <= STEP_SAME_PERIOD);
    if (registers && r->at < o->n_registers)
        obis_print(o->reg[r->at].ln, name);
    else if (profiles && r->at < o->n_profiles)
        obis_print(o->profile[r->at].ln, name);
    snprintf(out, size, "%s%s%s", step_of[r->step]->what, name[0] != '\0' ? " " : "", name);
}

/* The client has failed, or could not send. */
static void fail_with_client(struct reader *r)
{
    const struct cosem_client_failure *f = &r->client.failure;
    char why[120], object[64], sentence[sizeof r->failure];
    (void)cosem_client_explain(&r->client, why, sizeof why);
    r->security_failure = is_security(f);
    r->counter_wanted = f->counter;
    if (r->endless)
        snprintf(why, sizeof why, "reading: the meter's answer has no end");
    /* an answer of another form to a list: some meters answer what they do not support like that */
    if (r->asked && r->n_list > 1 && f->err == ERR_FORMAT && f->why != CLIENT_WHY_FRAME)
        r->plan.objects->list_max = 1;
    if (step_of[r->step] == NULL) {
        reader_fail(r, why);
        return;
    }
    name_object(r, object, sizeof object);
    snprintf(sentence, sizeof sentence, "%s (asked for %s)", why, object);
    reader_fail(r, sentence);
}

/* ---- values ---- */

static bool on_data(void *context, uint32_t index, struct bytes part)
{
    struct reader *r = context;
    const struct value_walk_sink sink = {.context = r, .part = step_of[r->step]->part};
    (void)index;
    r->endless = part.len > IDLE_MAX - r->idle_octets;
    if (r->endless)
        return false;
    r->idle_octets += (uint32_t)part.len;
    if (!r->bad && sink.part != NULL)
        r->bad = value_walk_feed(&r->walk, part, &sink);
    else if (!r->bad)
        r->bad = profile_rows_feed(&r->rows, part);
    return r->bad != ERR_FULL;
}

static void begin_value(struct reader *r)
{
    memset(&r->got, 0, sizeof r->got);
    value_walk_init(&r->walk);
    r->bad = ERR_OK;
    r->idle_octets = 0;
}

static void on_done(void *context, uint32_t index, enum cosem_result result)
{
    struct reader *r = context;
    (void)index;
    if (r->state != READER_BUSY) /* an object before ended it */
        return;
    r->n_left--;
    step_of[r->step]->done(r, r->bad && result == COSEM_SUCCESS ? COSEM_TYPE_UNMATCHED : result);
    begin_value(r);
}

/* ---- requests ---- */

struct apdu_attr reader_attr(uint16_t class_id, const uint8_t ln[6], uint8_t id)
{
    struct apdu_attr a = {.class_id = class_id, .id = id};
    memcpy(a.ln, ln, sizeof a.ln);
    return a;
}

/* A request is about to go out, or has: n values are awaited, 0: none. */
static void expect(struct reader *r, uint8_t n)
{
    begin_value(r);
    r->asked = n > 0;
    r->n_list = r->n_left = n;
}

static struct cosem_client_sink sink_of(struct reader *r)
{
    return (struct cosem_client_sink){.context = r, .data = on_data, .done = on_done};
}

enum err reader_get(struct reader *r, const struct apdu_attr *attr)
{
    const struct cosem_client_sink sink = sink_of(r);
    enum err err = cosem_client_get(&r->client, r->now_ms, attr, &sink);
    expect(r, err ? 0 : 1);
    return err;
}

enum err reader_set(struct reader *r, const struct apdu_attr *attr, struct bytes value)
{
    const struct cosem_client_sink sink = sink_of(r);
    enum err err = cosem_client_set(&r->client, r->now_ms, attr, value, &sink);
    expect(r, err ? 0 : 1);
    return err;
}

/* Values that one answer without blocks can hold, and no more than the meter took before; 1 where
 * lists are not agreed. */
static uint8_t list_size(const struct reader *r)
{
    const uint8_t learnt = r->plan.objects->list_max;
    uint32_t n = (r->client.config.max_pdu - LIST_HEAD) / LIST_VALUE;
    if ((r->client.conformance & DLMS_CONF_MULTIPLE) == 0 || n < 1)
        return 1;
    if (learnt != 0 && learnt < n)
        n = learnt;
    return (uint8_t)(n < LIST_MAX ? n : LIST_MAX);
}

enum err reader_get_some(struct reader *r, uint16_t total,
                         struct apdu_attr (*attr_of)(const struct reader *r, uint16_t i))
{
    const struct cosem_client_sink sink = sink_of(r);
    struct apdu_attr attrs[LIST_MAX];
    const uint8_t most = list_size(r);
    uint8_t n = (uint8_t)(total - r->at < most ? total - r->at : most);
    enum err err = ERR_FULL;
    for (uint8_t i = 0; i < n; i++)
        attrs[i] = attr_of(r, (uint16_t)(r->at + i));
    for (; n > 1 && err == ERR_FULL; n = err == ERR_FULL ? n / 2 : n)
        err = cosem_client_get_list(&r->client, r->now_ms, attrs, n, &sink);
    if (n == 1)
        return reader_get(r, &attrs[0]);
    expect(r, err ? 0 : n);
    return err;
}

/* ---- the course ---- */

static void begin_plan(struct reader *r)
{
    r->want = r->plan.want;
    if (!r->plan.objects->known)
        r->want |= READER_IDENTIFY;
    if ((r->want & READER_IDENTIFY) != 0)
        reader_go(r, STEP_NAME);
    else
        reader_go(r, (r->want & READER_CHECK) != 0 && !r->reused ? STEP_SAME_NAME : STEP_CLOCK);
}

/* The client is idle again. */
static void end_request(struct reader *r)
{
    r->asked = false;
    if (r->step == STEP_CONNECT)
        begin_plan(r);
    else if (r->step == STEP_RELEASE)
        r->state = READER_DONE;
    else if (r->n_left > 0 && r->n_list > 1) /* the exception is about the list: a shorter one */
        r->plan.objects->list_max = r->n_list / 2;
    else if (r->n_left > 0 && r->step == STEP_CLOCK && r->reused) /* no association any more */
        fail_with_client(r);
    else if (r->n_left > 0)
        on_done(r, 0, COSEM_OTHER_REASON);
}

/* Goes on until an answer is awaited or the reading is over. */
static void settle(struct reader *r)
{
    enum err err = ERR_OK;
    if (r->client.state == CLIENT_FAILED && (r->state == READER_BUSY || r->state == READER_READY))
        fail_with_client(r);
    while (r->state == READER_BUSY && !cosem_client_waiting(&r->client) && !err) {
        if (r->asked)
            end_request(r);
        else if (r->step == STEP_END)
            r->state = READER_READY;
        else
            err = step_of[r->step]->ask(r);
    }
    if (err && err != ERR_BUSY) /* busy: a notification is coming in; again when it is through */
        fail_with_client(r);
}

/* A new association on a new line; what was learnt of the meter's counter stays. */
static enum err connect(struct reader *r)
{
    struct cosem_client_config k = r->client.config;
    if (k.rx_floor < r->client.rx_floor)
        k.rx_floor = r->client.rx_floor;
    cosem_client_end(&r->client);
    enum err err = cosem_client_init(&r->client, &k);
    if (!err)
        err = cosem_client_connect(&r->client, r->now_ms);
    if (err)
        (void)cosem_client_explain(&r->client, r->failure, sizeof r->failure);
    return err;
}

enum err reader_begin(struct reader *r, uint64_t now_ms, const struct reader_plan *plan,
                      const struct reader_sink *sink)
{
    if (r->state == READER_BUSY)
        return ERR_STATE;
    if (plan->objects == NULL)
        return ERR_RANGE;
    const bool open = r->state == READER_READY;
    r->now_ms = now_ms;
    enum err err = open ? ERR_OK : connect(r);
    if (err)
        return err;
    r->reused = open;
    r->plan = *plan;
    r->sink = *sink;
    r->state = READER_BUSY;
    r->failure[0] = '\0';
    r->security_failure = r->endless = r->changed = r->whole = r->checked = false;
    r->clock_tried = false;
    r->counter_wanted = r->rows_done = r->rows_expected = r->rows_before = 0;
    reader_go(r, STEP_CONNECT);
    expect(r, 0);
    r->asked = true;
    settle(r);
    return ERR_OK;
}

enum err reader_release(struct reader *r, uint64_t now_ms)
{
    if (r->state != READER_READY)
        return ERR_STATE;
    enum err err = cosem_client_release(&r->client, now_ms);
    if (err)
        return err;
    r->now_ms = now_ms;
    r->state = READER_BUSY;
    reader_go(r, STEP_RELEASE);
    expect(r, 0);
    r->asked = true;
    return ERR_OK;
}

size_t reader_feed(struct reader *r, uint64_t now_ms, const uint8_t *p, size_t n)
{
    if (r->state != READER_BUSY && r->state != READER_READY)
        return r->state == READER_FAILED ? 0 : n;
    r->now_ms = now_ms;
    const size_t used = cosem_client_feed(&r->client, now_ms, p, n);
    settle(r);
    return used;
}

size_t reader_take(struct reader *r, uint8_t *to, size_t size)
{
    return r->state == READER_BUSY ? cosem_client_take(&r->client, to, size) : 0;
}

uint64_t reader_poll(struct reader *r, uint64_t now_ms)
{
    if (r->state != READER_BUSY)
        return UINT64_MAX;
    r->now_ms = now_ms;
    const uint64_t answer_ms = cosem_client_poll(&r->client, now_ms);
    settle(r);
    return r->state == READER_BUSY ? answer_ms : UINT64_MAX;
}

void reader_lost(struct reader *r)
{
    if (r->state == READER_READY) {
        r->state = READER_DONE;
        cosem_client_lost(&r->client);
    }
    if (r->state != READER_BUSY)
        return;
    cosem_client_lost(&r->client);
    if (r->client.state == CLIENT_CLOSED && r->step != STEP_RELEASE)
        reader_fail(r, "reading: the meter closed the connection");
    else
        settle(r);
}
