/* Rules of the classes 65 parameter monitor, 68 arbitrator, 70 disconnect control and 71 limiter.
 * Blue Book 4.5.8 to 4.5.12
 *
 * Provisional: actors count from 1, of equal sums the first action wins, a client's request is
 * kept also when no action has a weight; mode 0 of the disconnector can be chosen only while
 * connected, for it knows no way back. */
#include "lib/cosem/disconnect.h"
#include "lib/cosem/values_parts.h"

#include <string.h>

static uint64_t number_of(struct bytes value)
{
    struct rd r = rd_of(value.p, value.len);
    return axdr_get_uint(&r);
}

/* ---- 65 ---- */

/* {class_id, logical_name, attribute_index}, the first three members of both */
static bool same_attribute(const void *like, struct bytes element)
{
    struct rd a = key_of(*(const struct bytes *)like), b = key_of(element);
    uint64_t class_id = axdr_get_uint(&a);
    struct bytes x = axdr_get_octets(&a);
    int64_t attr = axdr_get_int(&a);
    if (class_id != axdr_get_uint(&b))
        return false;
    struct bytes y = axdr_get_octets(&b);
    return x.len == y.len && memcmp(x.p, y.p, x.len) == 0 && attr == axdr_get_int(&b);
}

static bool monitored(struct bytes parameters, struct bytes attribute)
{
    struct list l = list_of(parameters);
    struct bytes e;
    while (list_next(&l, &e)) {
        if (same_attribute(&attribute, e))
            return true;
    }
    return false;
}

static enum cosem_result invoke_monitor(const struct rule_call *k, uint8_t method, struct rd *param,
                                        struct wr *reply)
{
    struct bytes p = param_octets(param), e;
    struct list old = list_of(rule_value(k, 4));
    (void)reply;
    if (method == 2)
        return list_remove(k, 4, same_attribute, &p);
    if (monitored(rule_value(k, 4), p))
        return COSEM_SUCCESS;
    struct list_new l = list_begin(k->v);
    while (list_next(&old, &e))
        list_add(&l, e);
    list_add(&l, p);
    return list_store(k, 4, &l);
}

enum cosem_result values_note_parameter(struct values *v, const uint8_t ln[6],
                                        const struct apdu_attr *parameter, struct bytes value,
                                        const uint8_t now[12])
{
    int changed = values_find(v, 65, ln, 2), time = values_find(v, 65, ln, 3);
    uint8_t stamp[2 + 12];
    struct wr w = values_scratch(v), t = wr_of(stamp, sizeof stamp);
    axdr_put_struct(&w, 4);
    axdr_put_u16(&w, parameter->class_id);
    axdr_put_octets(&w, parameter->ln, sizeof parameter->ln);
    axdr_put_i8(&w, (int8_t)parameter->id);
    if (!monitored(values_get(v, values_find(v, 65, ln, 4)), (struct bytes){w.p, w.len}))
        return COSEM_SUCCESS;
    wr_bytes(&w, value.p, value.len);
    axdr_put_octets(&t, now, 12);
    if (changed < 0 || time < 0)
        return COSEM_OBJECT_UNAVAILABLE;
    if (w.err)
        return COSEM_TEMPORARY_FAILURE;
    struct values_change changes[] = {{(uint16_t)changed, {w.p, w.len}},
                                      {(uint16_t)time, {stamp, t.len}}};
    return values_put(v, changes, 2);
}

const struct values_rule rule_parameter_monitor = {.class_id = 65, .invoke = invoke_monitor};

/* ---- 68 ---- */

static bool bit_of(struct bytes bits, size_t i)
{
    struct rd r = rd_of(bits.p, bits.len);
    (void)rd_u8(&r);
    size_t n = rd_length(&r);
    return i < n && (r.p[r.pos + i / 8] & (0x80u >> i % 8));
}

static size_t bit_count(struct bytes bits)
{
    struct rd r = rd_of(bits.p, bits.len);
    (void)rd_u8(&r);
    return rd_length(&r);
}

static struct bytes element_at(struct bytes array, size_t i)
{
    struct list l = list_of(array);
    struct bytes e;
    while (list_next(&l, &e)) {
        if (i-- == 0)
            return e;
    }
    return (struct bytes){NULL, 0};
}

/* Weights of all actors that ask for the action and may. */
static uint64_t sum_of(const struct rule_call *k, struct bytes requests, size_t action)
{
    struct list l = list_of(requests);
    struct bytes bits;
    uint64_t sum = 0;
    for (size_t actor = 0; list_next(&l, &bits); actor++) {
        if (!bit_of(bits, action) || !bit_of(element_at(rule_value(k, 3), actor), action))
            continue;
        struct bytes weight = element_at(element_at(rule_value(k, 4), actor), action);
        sum += weight.len > 0 ? number_of(weight) : 0;
    }
    return sum;
}

/* Number of the action with the largest sum, 0: none has one. */
static uint8_t outcome_of(const struct rule_call *k, struct bytes requests, size_t n_actions)
{
    uint64_t best = 0;
    uint8_t outcome = 0;
    for (size_t a = 0; a < n_actions && a < UINT8_MAX; a++) {
        uint64_t sum = sum_of(k, requests, a);
        if (sum > best) {
            best = sum;
            outcome = (uint8_t)(a + 1);
        }
    }
    return outcome;
}

/* Stores the table of requests with its outcome. */
static enum cosem_result decide(const struct rule_call *k, struct bytes requests, uint8_t outcome)
{
    const uint8_t result[] = {AXDR_U8, outcome};
    int table = rule_slot(k, 5), last = rule_slot(k, 6);
    struct values_change changes[] = {{(uint16_t)table, requests},
                                      {(uint16_t)last, {result, sizeof result}}};
    return table < 0 || last < 0 ? COSEM_OBJECT_UNAVAILABLE : values_change(k->v, changes, 2);
}

/* The table of requests with `bits` for this actor (from 0); none: all bits 0. */
static struct bytes new_requests(const struct rule_call *k, size_t n_actors, size_t actor,
                                 struct bytes bits)
{
    struct wr w = values_scratch(k->v);
    size_t n_actions = list_count(rule_value(k, 2));
    axdr_put_array(&w, n_actors);
    for (size_t i = 0; i < n_actors; i++) {
        struct bytes old = element_at(rule_value(k, 5), i);
        if (i == actor) {
            wr_bytes(&w, bits.p, bits.len);
        } else if (bits.len > 0 && old.len > 0) {
            wr_bytes(&w, old.p, old.len);
        } else {
            wr_u8(&w, AXDR_BITS);
            wr_length(&w, n_actions);
            for (size_t n = 0; n < n_actions; n += 8)
                wr_u8(&w, 0);
        }
    }
    return (struct bytes){w.p, w.err ? 0 : w.len};
}

static enum cosem_result invoke_arbitrator(const struct rule_call *k, uint8_t method,
                                           struct rd *param, struct wr *reply)
{
    size_t n_actions = list_count(rule_value(k, 2)), n_actors = list_count(rule_value(k, 3));
    struct bytes bits = {NULL, 0};
    uint64_t actor = 0;
    (void)reply;
    if (method == 1) {
        struct rd r = key_of(param_octets(param));
        actor = axdr_get_uint(&r);
        bits = param_octets(&r);
        if (actor < 1 || actor > n_actors || bit_count(bits) != n_actions)
            return COSEM_OTHER_REASON;
    }
    struct bytes requests = new_requests(k, n_actors, actor ? (size_t)actor - 1 : SIZE_MAX, bits);
    if (requests.len == 0)
        return COSEM_TEMPORARY_FAILURE;
    uint8_t outcome = method == 1 ? outcome_of(k, requests, n_actions) : 0;
    enum cosem_result result = decide(k, requests, outcome);
    return result || outcome == 0 ? result : RULE_ACT;
}

const struct values_rule rule_arbitrator = {.class_id = 68, .invoke = invoke_arbitrator};

/* ---- 70 ---- */

static enum cosem_result invoke_disconnect(const struct rule_call *k, uint8_t method,
                                           struct rd *param, struct wr *reply)
{
    (void)param, (void)reply;
    return values_disconnect(k->v, k->o->ln,
                             method == 1 ? DISCONNECT_REMOTE_OFF : DISCONNECT_REMOTE_ON);
}

enum cosem_result values_disconnect(struct values *v, const uint8_t ln[6],
                                    enum disconnect_event event)
{
    int state = values_find(v, 70, ln, 3), mode = values_find(v, 70, ln, 4);
    if (state < 0 || mode < 0)
        return COSEM_OBJECT_UNAVAILABLE;
    uint8_t now = (uint8_t)number_of(values_get(v, state));
    const uint8_t next[] = {AXDR_ENUM,
                            disconnect_next((uint8_t)number_of(values_get(v, mode)), now, event)};
    struct values_change change = {(uint16_t)state, {next, sizeof next}};
    return next[1] == now ? COSEM_SUCCESS : values_change(v, &change, 1);
}

static enum cosem_result check_disconnect(const struct rule_call *k, uint8_t attr,
                                          struct bytes value)
{
    if (attr != 4)
        return COSEM_READ_WRITE_DENIED; /* states follow from commands */
    bool connected = number_of(rule_value(k, 3)) == DISCONNECT_CONNECTED;
    return number_of(value) != 0 || connected ? COSEM_SUCCESS : COSEM_OTHER_REASON;
}

const struct values_rule rule_disconnect = {
    .class_id = 70, .check = check_disconnect, .invoke = invoke_disconnect};

/* ---- 71 ---- */

/* The monitored value is kept in the types of the class, whatever integers the client wrote. */
static enum cosem_result store_monitored(const struct rule_call *k, struct bytes value)
{
    struct rd r = key_of(value);
    struct wr w = values_scratch(k->v);
    uint64_t class_id = axdr_get_uint(&r);
    struct bytes ln = axdr_get_octets(&r);
    int64_t attr = axdr_get_int(&r);
    if (r.err || class_id > UINT16_MAX || attr < INT8_MIN || attr > INT8_MAX)
        return COSEM_OTHER_REASON;
    axdr_put_struct(&w, 3);
    axdr_put_u16(&w, (uint16_t)class_id);
    axdr_put_octets(&w, ln.p, ln.len);
    axdr_put_i8(&w, (int8_t)attr);
    enum cosem_result result = rule_change(k, 2, (struct bytes){w.p, w.len});
    return result ? result : RULE_STORED;
}

/* Thresholds are of the type of the one in force; which one that is, is not written. */
static enum cosem_result check_limiter(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    struct bytes active = rule_value(k, 3);
    if (attr == 3 || attr == 10)
        return COSEM_READ_WRITE_DENIED;
    if (attr == 2)
        return store_monitored(k, value);
    if ((attr == 4 || attr == 5) && active.len > 0 && active.p[0] != value.p[0])
        return COSEM_TYPE_UNMATCHED;
    return COSEM_SUCCESS;
}

const struct values_rule rule_limiter = {.class_id = 71, .check = check_limiter};
