/* Operations of the client: from the parameters of a call to the request that goes out, and from
 * the end of one request to the next.
 *
 * What was not agreed is not asked: lists go one by one, attribute 0 and ACCESS are refused here.
 * GET, SET, ACTION and selective access are asked always: meters that forget to set their bits are
 * known, and those that mean it answer with an exception. */
#include "lib/cosem/client_parts.h"
#include "lib/dlms/axdr.h"

uint8_t client_next_invoke(struct cosem_client *c)
{
    c->invoke = (uint8_t)((c->invoke + 1) & 0x0F);
    return (uint8_t)(0xC0 | c->invoke); /* confirmed, high priority */
}

enum err client_send_request(struct cosem_client *c, uint64_t now_ms, const struct apdu_request *q,
                             enum cosem_client_state next)
{
    struct wr w = client_plain_writer(c);
    apdu_put_request(&w, q);
    return client_send(c, now_ms, &w, next, c->config.security != 0);
}

static enum cosem_client_state state_of(uint8_t tag)
{
    return tag == DLMS_GET_REQUEST   ? CLIENT_GETTING
           : tag == DLMS_SET_REQUEST ? CLIENT_SETTING
                                     : CLIENT_ACTING;
}

static uint8_t tag_of(enum cosem_client_state state)
{
    return state == CLIENT_GETTING   ? DLMS_GET_REQUEST
           : state == CLIENT_SETTING ? DLMS_SET_REQUEST
                                     : DLMS_ACTION_REQUEST;
}

/* What goes by blocks when it does not fit. */
static bool has_blocks(const struct cosem_client *c, uint8_t tag)
{
    if (tag == DLMS_GET_REQUEST)
        return false;
    return (c->conformance &
            (tag == DLMS_SET_REQUEST ? DLMS_CONF_BLOCK_SET : DLMS_CONF_BLOCK_ACTION)) != 0;
}

/* A request for one attribute or method. */
static enum err send_one(struct cosem_client *c, uint8_t tag, const struct apdu_attr *attr,
                         struct bytes value)
{
    const struct apdu_request q = {.tag = tag,
                                   .type = DLMS_GET_NORMAL, /* 1 for each service */
                                   .invoke = client_next_invoke(c),
                                   .target = *attr,
                                   .data = value};
    c->block = 0;
    c->task.by_blocks = false;
    enum err err = client_send_request(c, c->now_ms, &q, state_of(tag));
    if (err != ERR_FULL || !has_blocks(c, tag))
        return err;
    c->task.values = tag == DLMS_SET_REQUEST ? value : attr->parameter;
    return c->task.values.len > 0 ? client_write_begin(c, c->now_ms, tag, attr) : ERR_FULL;
}

/* Attribute 0, all attributes at once, must have been agreed. */
static bool is_agreed(const struct cosem_client *c, const struct apdu_attr *attr)
{
    return attr->id != 0 || (c->conformance & DLMS_CONF_ATTRIBUTE0_GET) != 0;
}

static enum err operate(struct cosem_client *c, uint64_t now_ms, uint8_t tag,
                        const struct apdu_attr *attr, struct bytes value)
{
    enum err err = client_begin(c, now_ms, CLIENT_READY);
    if (!err && tag != DLMS_ACTION_REQUEST && !is_agreed(c, attr))
        err = ERR_UNSUPPORTED;
    return client_local(c, err ? err : send_one(c, tag, attr, value));
}

enum err cosem_client_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_attr *attr,
                          const struct cosem_client_sink *sink)
{
    if (c->state == CLIENT_READY)
        c->sink = *sink;
    return operate(c, now_ms, DLMS_GET_REQUEST, attr, (struct bytes){0});
}

enum err cosem_client_set(struct cosem_client *c, uint64_t now_ms, const struct apdu_attr *attr,
                          struct bytes value, const struct cosem_client_sink *sink)
{
    if (c->state == CLIENT_READY)
        c->sink = *sink;
    return operate(c, now_ms, DLMS_SET_REQUEST, attr, value);
}

enum err cosem_client_action(struct cosem_client *c, uint64_t now_ms,
                             const struct apdu_attr *method, const struct cosem_client_sink *sink)
{
    if (c->state == CLIENT_READY)
        c->sink = *sink;
    return operate(c, now_ms, DLMS_ACTION_REQUEST, method, (struct bytes){0});
}

/* ---- lists ---- */

/* The next A-XDR value of *values, which moves behind it. */
static enum err cut_value(struct bytes *values, struct bytes *one)
{
    struct rd r = rd_of(values->p, values->len);
    axdr_skip(&r);
    if (r.err)
        return r.err;
    *one = (struct bytes){values->p, r.pos};
    *values = (struct bytes){values->p + r.pos, values->len - r.pos};
    return ERR_OK;
}

static enum err check_values(struct bytes values, size_t n)
{
    struct bytes one;
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = cut_value(&values, &one);
    return err || values.len > 0 ? ERR_FORMAT : ERR_OK;
}

/* The whole list in one request. */
static enum err send_list(struct cosem_client *c, uint8_t tag, uint8_t type)
{
    static const uint8_t nothing = AXDR_NULL;
    const struct client_task *t = &c->task;
    const struct apdu_request q = {
        .tag = tag, .type = type, .invoke = client_next_invoke(c), .n_list = t->n};
    struct wr w = client_plain_writer(c);
    apdu_put_request(&w, &q);
    for (uint32_t i = 0; i < t->n; i++) {
        if (tag == DLMS_ACTION_REQUEST)
            apdu_put_attr_bare(&w, &t->attrs[i]);
        else
            apdu_put_attr(&w, &t->attrs[i]);
    }
    if (tag != DLMS_GET_REQUEST)
        wr_length(&w, t->n);
    wr_bytes(&w, t->values.p, t->values.len);
    for (uint32_t i = 0; i < t->n && tag == DLMS_ACTION_REQUEST; i++) {
        const struct bytes p = t->attrs[i].parameter;
        wr_bytes(&w, p.len > 0 ? p.p : &nothing, p.len > 0 ? p.len : 1);
    }
    enum err err = client_send(c, c->now_ms, &w, state_of(tag), c->config.security != 0);
    if (err == ERR_FULL && has_blocks(c, tag))
        err = client_write_begin(c, c->now_ms, tag, NULL);
    return err;
}

/* Element task.at of a list that goes one by one. */
static enum err send_element(struct cosem_client *c, uint8_t tag)
{
    struct client_task *t = &c->task;
    struct bytes value = {0};
    const enum err err = tag == DLMS_SET_REQUEST ? cut_value(&t->rest, &value) : ERR_OK;
    return err ? err : send_one(c, tag, &t->attrs[t->at], value);
}

static enum err operate_list(struct cosem_client *c, uint64_t now_ms, uint8_t tag,
                             const struct apdu_attr *attrs, size_t n)
{
    struct client_task *t = &c->task;
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && !err && tag != DLMS_ACTION_REQUEST; i++)
        err = is_agreed(c, &attrs[i]) ? ERR_OK : ERR_UNSUPPORTED;
    if (err)
        return err;
    c->block = 0;
    c->now_ms = now_ms;
    t->attrs = attrs;
    t->n = (uint32_t)n;
    t->rest = t->values;
    t->one_by_one = (c->conformance & DLMS_CONF_MULTIPLE) == 0;
    if (t->one_by_one)
        return send_element(c, tag);
    return send_list(c, tag, tag == DLMS_SET_REQUEST ? DLMS_SET_LIST : DLMS_GET_LIST);
}

static enum err begin_list(struct cosem_client *c, uint64_t now_ms, size_t n,
                           const struct cosem_client_sink *sink)
{
    enum err err = client_begin(c, now_ms, CLIENT_READY);
    if (!err && (n == 0 || n > COSEM_CLIENT_LIST_MAX))
        err = ERR_RANGE;
    if (!err)
        c->sink = *sink;
    return err;
}

enum err cosem_client_get_list(struct cosem_client *c, uint64_t now_ms,
                               const struct apdu_attr *attrs, size_t n,
                               const struct cosem_client_sink *sink)
{
    const enum err err = begin_list(c, now_ms, n, sink);
    return client_local(c, err ? err : operate_list(c, now_ms, DLMS_GET_REQUEST, attrs, n));
}

enum err cosem_client_set_list(struct cosem_client *c, uint64_t now_ms,
                               const struct apdu_attr *attrs, size_t n, struct bytes values,
                               const struct cosem_client_sink *sink)
{
    enum err err = begin_list(c, now_ms, n, sink);
    if (!err)
        err = check_values(values, n);
    if (!err)
        c->task.values = values;
    return client_local(c, err ? err : operate_list(c, now_ms, DLMS_SET_REQUEST, attrs, n));
}

enum err cosem_client_action_list(struct cosem_client *c, uint64_t now_ms,
                                  const struct apdu_attr *methods, size_t n,
                                  const struct cosem_client_sink *sink)
{
    const enum err err = begin_list(c, now_ms, n, sink);
    return client_local(c, err ? err : operate_list(c, now_ms, DLMS_ACTION_REQUEST, methods, n));
}

/* ---- ACCESS ---- */

enum err cosem_client_access(struct cosem_client *c, uint64_t now_ms,
                             const struct access_spec *specs, size_t n, struct bytes data,
                             const struct cosem_client_sink *sink)
{
    enum err err = begin_list(c, now_ms, n, sink);
    if (!err && (c->conformance & DLMS_CONF_ACCESS) == 0)
        err = ERR_UNSUPPORTED;
    if (!err)
        err = check_values(data, n);
    if (err)
        return client_local(c, err);
    c->task.n = (uint32_t)n;
    c->long_invoke = (c->long_invoke + 1) & DLMS_LONG_INVOKE_ID;
    struct wr w = client_plain_writer(c);
    wr_u8(&w, DLMS_ACCESS_REQUEST);
    wr_u32(&w, DLMS_LONG_CONFIRMED | DLMS_LONG_HIGH_PRIORITY | c->long_invoke);
    wr_length(&w, 0); /* no date-time */
    wr_length(&w, n);
    for (size_t i = 0; i < n; i++)
        access_put_spec(&w, &specs[i]);
    wr_length(&w, n);
    wr_bytes(&w, data.p, data.len);
    return client_local(c, client_send(c, now_ms, &w, CLIENT_ACCESSING, c->config.security != 0));
}

/* ---- the end of a request ---- */

void client_refuse(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail)
{
    client_fail(c, err, why, detail);
    client_become(c, CLIENT_READY);
}

void client_finish(struct cosem_client *c, uint64_t now_ms)
{
    struct client_task *t = &c->task;
    const uint8_t tag = tag_of(c->state);
    if (!t->one_by_one || ++t->at == t->n) {
        client_become(c, CLIENT_READY);
        return;
    }
    c->now_ms = now_ms;
    const enum err err = send_element(c, tag);
    if (err) /* the element, not the association */
        client_refuse(c, err, CLIENT_WHY_LOCAL, t->at);
}
