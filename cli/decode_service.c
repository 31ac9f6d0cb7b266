/* Plain xDLMS services: requests, responses, notifications. */
#include "cli/decode_apdu.h"
#include "cli/decode_tree.h"
#include "cli/decode_values.h"

#include "lib/cosem/obis.h"
#include "lib/cosem/results.h"
#include "lib/dlms/apdu_access.h"
#include "lib/dlms/apdu_notify.h"
#include "lib/dlms/datetime.h"

#include <stdio.h>
#include <string.h>

static enum decode_result stuck(json_t *entry, const struct rd *r)
{
    return decode_malformed(entry, r->err_pos, err_text(r->err));
}

static json_t *result_text(uint8_t result)
{
    return json_string(cosem_result_text((enum cosem_result)result));
}

/* One value; null where it cannot be read. */
static json_t *value_of(struct bytes b)
{
    struct rd r = rd_of(b.p, b.len);
    json_t *tree = b.len > 0 ? tree_read(&r) : NULL;
    return tree != NULL ? tree : json_null();
}

static void put_time(json_t *entry, struct bytes time)
{
    struct datetime d;
    char text[DATETIME_TEXT];
    if (time.len != DATETIME_LEN)
        return;
    if (datetime_decode(time.p, &d) != ERR_OK) {
        json_object_set_new(entry, "date_time", decode_hex(time));
        return;
    }
    datetime_text(&d, text);
    json_object_set_new(entry, "date_time", json_string(text));
}

/* ---- notifications ---- */

void decode_get_time(struct rd *r, struct bytes *time)
{
    *time = (struct bytes){0};
    const uint8_t first = axdr_peek(r);
    const uint8_t second = rd_left(r) > 1 ? r->p[r->pos + 1] : 0;
    if (first == 0 || first == DATETIME_LEN)
        *time = rd_bytes(r, rd_u8(r));
    else if (first == AXDR_OCTETS && (second == DATETIME_LEN || second == 0))
        *time = axdr_get_octets(r);
    else if (first == AXDR_DATE_TIME) {
        (void)rd_u8(r);
        *time = rd_bytes(r, DATETIME_LEN);
    }
}

static enum decode_result decode_notification(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct bytes time;
    (void)rd_u8(&r);
    json_object_set_new(entry, "invoke_id", json_integer(rd_u32(&r) & DLMS_LONG_INVOKE_ID));
    decode_get_time(&r, &time);
    put_time(entry, time);
    json_t *tree = r.err ? NULL : tree_read(&r);
    decode_put_values(entry, tree);
    if (tree != NULL)
        json_object_set_new(entry, "tree", tree);
    if (r.err)
        return stuck(entry, &r);
    return rd_left(&r) > 0 ? decode_malformed(entry, r.pos, "octets behind the value") : DECODE_OK;
}

static enum decode_result decode_confirmation(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct apdu_notification n = {0};
    notify_get_data(&r, DLMS_DATA_NOTIFICATION_CONFIRM, &n);
    if (r.err)
        return stuck(entry, &r);
    json_object_set_new(entry, "invoke_id", json_integer(n.invoke & DLMS_LONG_INVOKE_ID));
    put_time(entry, n.date_time);
    return DECODE_OK;
}

static json_t *attr_json(const struct apdu_attr *a)
{
    char name[OBIS_TEXT];
    obis_print(a->ln, name);
    json_t *out = json_pack("{s:i, s:s, s:i}", "class", a->class_id, "obis", name, "id", a->id);
    if (a->selector != 0)
        json_object_set_new(out, "selector", json_integer(a->selector));
    if (a->parameter.len > 0)
        json_object_set_new(out, "parameter", value_of(a->parameter));
    return out;
}

static enum decode_result decode_event(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct apdu_event e = {0};
    notify_get_event(&r, &e);
    if (r.err)
        return stuck(entry, &r);
    put_time(entry, e.time);
    json_t *target = attr_json(&e.target), *value = value_of(e.value);
    decode_put_named(entry, target, value);
    json_object_set_new(entry, "tree", json_pack("{s:o, s:o}", "target", target, "value", value));
    return DECODE_OK;
}

/* ---- requests ---- */

static json_t *targets_of(const struct apdu_request *q)
{
    json_t *targets = json_array();
    struct rd at = rd_of(q->list.p, q->list.len);
    if (q->list.len == 0 && q->target.class_id != 0)
        json_array_append_new(targets, attr_json(&q->target));
    for (uint32_t i = 0; i < q->n_list && !at.err; i++) {
        struct apdu_attr a = {0};
        if (q->tag == DLMS_ACTION_REQUEST)
            apdu_get_attr_bare(&at, &a);
        else
            apdu_get_attr(&at, &a);
        if (!at.err)
            json_array_append_new(targets, attr_json(&a));
    }
    return targets;
}

/* "count, values" of a list; or one value. Pairs them with the targets. */
static void put_data(json_t *entry, json_t *tree, const json_t *targets, struct bytes data)
{
    const size_t n = json_array_size(targets);
    struct rd r = rd_of(data.p, data.len);
    if (data.len == 0)
        return;
    if (n != 1) {
        json_t *values = json_array();
        for (size_t i = rd_length(&r); i > 0 && !r.err; i--) {
            json_t *value = tree_read(&r);
            if (value != NULL)
                json_array_append_new(values, value);
        }
        for (size_t i = 0; i < n; i++)
            decode_put_named(entry, json_array_get(targets, i), json_array_get(values, i));
        json_object_set_new(tree, "data", values);
        return;
    }
    json_t *value = value_of(data);
    decode_put_named(entry, json_array_get(targets, 0), value);
    json_object_set_new(tree, "data", value);
}

static bool is_block(const struct apdu_request *q)
{
    if (q->tag == DLMS_SET_REQUEST)
        return q->type == DLMS_SET_FIRST_BLOCK || q->type == DLMS_SET_BLOCK ||
               q->type == DLMS_SET_LIST_FIRST_BLOCK;
    return q->tag == DLMS_ACTION_REQUEST &&
           (q->type == DLMS_ACTION_FIRST_BLOCK || q->type == DLMS_ACTION_LIST_FIRST_BLOCK ||
            q->type == DLMS_ACTION_BLOCK);
}

static void put_block_request(json_t *entry, json_t *tree, const struct apdu_request *q,
                              struct decode_talk *t)
{
    json_t *targets = json_object_get(tree, "targets");
    const struct blocks_part part = {
        .kind = q->tag == DLMS_SET_REQUEST ? BLOCKS_SET : BLOCKS_ACTION,
        .way = t->way,
        .number = q->block,
        .last = q->last,
        .data = q->data,
        .about = json_array_size(targets) > 0 ? json_incref(targets) : NULL};
    json_object_set_new(tree, "block", json_integer(q->block));
    json_object_set_new(tree, "last", json_boolean(q->last));
    json_object_set_new(tree, "octets", decode_hex(q->data));
    struct blocks_transfer *whole = blocks_add(&t->blocks, &part);
    if (whole == NULL)
        return;
    if (json_array_size(targets) == 0 && whole->about != NULL)
        json_object_set(tree, "targets", whole->about);
    put_data(entry, tree, whole->about, (struct bytes){whole->data.p, whole->data.len});
    blocks_done(&t->blocks, whole);
}

/* What an answer with the same invoke-id will be about. */
static void remember(struct decode_talk *t, uint8_t invoke, json_t *targets)
{
    json_t **kept = &t->asked[invoke & 0x0F];
    if (json_array_size(targets) == 0)
        return; /* a "next" asks for more of the same */
    json_decref(*kept);
    *kept = json_incref(targets);
}

static enum decode_result decode_request(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    static const char *const get[] = {"normal", "next", "with-list"};
    static const char *const set[] = {"normal", "with-first-datablock", "with-datablock",
                                      "with-list", "with-list-and-first-datablock"};
    static const char *const action[] = {
        "normal",     "next-pblock", "with-list", "with-first-pblock", "with-list-and-first-pblock",
        "with-pblock"};
    struct apdu_request q = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_request(&r, &q);
    if (r.err)
        return stuck(entry, &r);
    const char *const *kinds = q.tag == DLMS_GET_REQUEST   ? get
                               : q.tag == DLMS_SET_REQUEST ? set
                                                           : action;
    json_t *targets = targets_of(&q);
    json_t *tree = json_pack("{s:s, s:i, s:o}", "kind", kinds[q.type - 1], "invoke_id",
                             q.invoke & 0x0F, "targets", targets);
    json_object_set_new(entry, "tree", tree);
    remember(t, q.invoke, targets);
    if (is_block(&q))
        put_block_request(entry, tree, &q, t);
    else if (q.tag == DLMS_SET_REQUEST ||
             (q.tag == DLMS_ACTION_REQUEST && q.type == DLMS_ACTION_LIST))
        put_data(entry, tree, targets, q.data);
    else if (json_array_size(targets) == 0)
        json_object_set_new(tree, "block", json_integer(q.block));
    return DECODE_OK;
}

/* ---- responses ---- */

static const json_t *target_at(const struct decode_talk *t, uint8_t invoke, size_t i)
{
    return json_array_get(t->asked[invoke & 0x0F], i);
}

static json_t *get_results(json_t *entry, const struct apdu_response *a,
                           const struct decode_talk *t)
{
    json_t *items = json_array();
    struct rd at = rd_of(a->data.p, a->data.len);
    for (uint32_t i = 0; i < a->n_list && !at.err; i++) {
        struct bytes data = {0};
        uint8_t result = 0;
        apdu_get_result(&at, &data, &result);
        if (at.err)
            break;
        json_t *item = data.len > 0 ? value_of(data) : result_text(result);
        if (data.len > 0)
            decode_put_named(entry, target_at(t, a->invoke, i), item);
        json_array_append_new(items, item);
    }
    return items;
}

static json_t *action_result_json(json_t *entry, const struct apdu_response *a,
                                  const json_t *target)
{
    json_t *out = json_pack("{s:o}", "result", result_text(a->result));
    if (a->has_data) {
        json_t *data = value_of(a->data);
        json_object_set_new(out, "data", data);
        decode_put_named(entry, target, data);
    } else if (a->has_return) {
        json_object_set_new(out, "return", result_text(a->return_result));
    }
    return out;
}

static json_t *action_results(json_t *entry, const struct apdu_response *a,
                              const struct decode_talk *t)
{
    json_t *items = json_array();
    struct rd at = rd_of(a->data.p, a->data.len);
    for (uint32_t i = 0; i < a->n_list && !at.err; i++) {
        struct apdu_response one = {0};
        apdu_get_action_result(&at, &one);
        if (!at.err)
            json_array_append_new(items,
                                  action_result_json(entry, &one, target_at(t, a->invoke, i)));
    }
    return items;
}

static json_t *set_results(const struct apdu_response *a)
{
    json_t *items = json_array();
    for (size_t i = 0; i < a->data.len; i++)
        json_array_append_new(items, result_text(a->data.p[i]));
    return items;
}

/* The joined blocks of an answer: with several targets a list of results, else one value. */
static void put_joined(json_t *entry, json_t *tree, const struct apdu_response *a,
                       const struct decode_talk *t, struct bytes data)
{
    struct rd r = rd_of(data.p, data.len);
    tree_skip(&r);
    const bool one = !r.err && rd_left(&r) == 0;
    struct apdu_response list = *a;
    if (!one && json_array_size(t->asked[a->invoke & 0x0F]) != 1) {
        struct rd head = rd_of(data.p, data.len);
        list.n_list = (uint32_t)rd_length(&head);
        list.data = rd_bytes(&head, rd_left(&head));
        json_object_set_new(tree, "items",
                            a->tag == DLMS_GET_RESPONSE ? get_results(entry, &list, t)
                                                        : action_results(entry, &list, t));
        return;
    }
    if (!one && a->tag == DLMS_ACTION_RESPONSE) {
        struct rd at = rd_of(data.p, data.len);
        struct apdu_response answer = {0};
        apdu_get_action_result(&at, &answer);
        json_object_set_new(tree, "answer",
                            action_result_json(entry, &answer, target_at(t, a->invoke, 0)));
        return;
    }
    json_t *value = value_of(data);
    decode_put_named(entry, target_at(t, a->invoke, 0), value);
    json_object_set_new(tree, "data", value);
    if (!one)
        (void)decode_malformed(entry, r.err ? r.err_pos : r.pos, "the joined blocks are no value");
}

static void put_block(json_t *entry, json_t *tree, const struct apdu_response *a,
                      struct decode_talk *t)
{
    const struct blocks_part part = {.kind = a->tag == DLMS_GET_RESPONSE ? BLOCKS_GET
                                                                         : BLOCKS_ACTION_ANSWER,
                                     .way = t->way,
                                     .number = a->block,
                                     .last = a->last,
                                     .data = a->data};
    json_object_set_new(tree, "block", json_integer(a->block));
    json_object_set_new(tree, "last", json_boolean(a->last));
    if (a->tag == DLMS_GET_RESPONSE && !a->has_data) {
        json_object_set_new(tree, "result", result_text(a->result));
        return;
    }
    json_object_set_new(tree, "octets", decode_hex(a->data));
    struct blocks_transfer *whole = blocks_add(&t->blocks, &part);
    if (whole == NULL)
        return;
    put_joined(entry, tree, a, t, (struct bytes){whole->data.p, whole->data.len});
    blocks_done(&t->blocks, whole);
}

static void put_get_response(json_t *entry, json_t *tree, const struct apdu_response *a,
                             struct decode_talk *t)
{
    if (a->type == DLMS_GETRES_BLOCK) {
        put_block(entry, tree, a, t);
    } else if (a->type == DLMS_GETRES_LIST) {
        json_object_set_new(tree, "items", get_results(entry, a, t));
    } else if (a->has_data) {
        json_t *data = value_of(a->data);
        json_object_set_new(tree, "data", data);
        decode_put_named(entry, target_at(t, a->invoke, 0), data);
    } else {
        json_object_set_new(tree, "result", result_text(a->result));
    }
}

static void put_set_response(json_t *tree, const struct apdu_response *a)
{
    if (a->type == DLMS_SETRES_BLOCK || a->type == DLMS_SETRES_LAST_BLOCK ||
        a->type == DLMS_SETRES_LAST_BLOCK_LIST)
        json_object_set_new(tree, "block", json_integer(a->block));
    if (a->type == DLMS_SETRES_LIST || a->type == DLMS_SETRES_LAST_BLOCK_LIST)
        json_object_set_new(tree, "items", set_results(a));
    else if (a->type != DLMS_SETRES_BLOCK)
        json_object_set_new(tree, "result", result_text(a->result));
}

static void put_action_response(json_t *entry, json_t *tree, const struct apdu_response *a,
                                struct decode_talk *t)
{
    if (a->type == DLMS_ACTIONRES_BLOCK) {
        put_block(entry, tree, a, t);
    } else if (a->type == DLMS_ACTIONRES_NEXT_BLOCK) {
        json_object_set_new(tree, "block", json_integer(a->block));
    } else if (a->type == DLMS_ACTIONRES_LIST) {
        json_object_set_new(tree, "items", action_results(entry, a, t));
    } else {
        json_t *one = action_result_json(entry, a, target_at(t, a->invoke, 0));
        json_object_update(tree, one);
        json_decref(one);
    }
}

static void put_refusal(json_t *tree, const struct apdu_response *a)
{
    json_object_set_new(tree, "state_error", json_integer(a->state_error));
    json_object_set_new(tree, "service_error", json_integer(a->service_error));
    if (a->tag != DLMS_EXCEPTION_RESPONSE)
        return;
    json_object_set_new(tree, "text", json_string(apdu_exception_text(a->service_error)));
    if (a->service_error == DLMS_EXC_COUNTER_ERROR)
        json_object_set_new(tree, "invocation_counter", json_integer(a->counter));
}

static enum decode_result decode_response(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    static const char *const get[] = {"normal", "with-datablock", "with-list"};
    static const char *const set[] = {"normal", "datablock", "last-datablock",
                                      "last-datablock-with-list", "with-list"};
    static const char *const action[] = {"normal", "with-pblock", "with-list", "next-pblock"};
    struct apdu_response a = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_response(&r, &a);
    if (r.err)
        return stuck(entry, &r);
    json_t *tree = json_object();
    json_object_set_new(entry, "tree", tree);
    if (a.tag == DLMS_EXCEPTION_RESPONSE || a.tag == DLMS_CONFIRMED_SERVICE_ERROR) {
        put_refusal(tree, &a);
        return DECODE_OK;
    }
    const char *const *kinds = a.tag == DLMS_GET_RESPONSE   ? get
                               : a.tag == DLMS_SET_RESPONSE ? set
                                                            : action;
    json_object_set_new(tree, "kind", json_string(kinds[a.type - 1]));
    json_object_set_new(tree, "invoke_id", json_integer(a.invoke & 0x0F));
    if (a.tag == DLMS_GET_RESPONSE)
        put_get_response(entry, tree, &a, t);
    else if (a.tag == DLMS_SET_RESPONSE)
        put_set_response(tree, &a);
    else
        put_action_response(entry, tree, &a, t);
    return json_is_null(json_object_get(entry, "error")) ? DECODE_OK : DECODE_MALFORMED;
}

/* ---- ACCESS ---- */

static const char *access_word(uint8_t choice)
{
    static const char *const words[] = {"get", "set", "action", "get with selection",
                                        "set with selection"};
    return choice >= 1 && choice <= 5 ? words[choice - 1] : "unknown";
}

static enum decode_result decode_access_request(json_t *entry, struct bytes apdu,
                                                struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct apdu_access a = {0};
    access_get_request(&r, &a);
    if (r.err)
        return stuck(entry, &r);
    put_time(entry, a.date_time);
    json_t *list = json_array();
    struct rd specs = rd_of(a.specifications.p, a.specifications.len);
    struct rd data = rd_of(a.data.p, a.data.len);
    for (uint32_t i = 0; i < a.n && !specs.err; i++) {
        struct access_spec s = {0};
        access_get_spec(&specs, &s);
        json_t *value = tree_read(&data);
        json_t *target = specs.err ? json_null() : attr_json(&s.target);
        if (s.choice == DLMS_ACCESS_SET || s.choice == DLMS_ACCESS_SET_SELECTED)
            decode_put_named(entry, target, value);
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o}", "kind", access_word(s.choice), "target",
                                        target, "data", value != NULL ? value : json_null()));
    }
    json_decref(t->accessed);
    t->accessed = json_incref(list);
    json_object_set_new(entry, "tree",
                        json_pack("{s:I, s:o}", "invoke_id",
                                  (json_int_t)(a.invoke & DLMS_LONG_INVOKE_ID), "specifications",
                                  list));
    return DECODE_OK;
}

static enum decode_result decode_access_response(json_t *entry, struct bytes apdu,
                                                 const struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct apdu_access a = {0};
    access_get_response(&r, &a);
    if (r.err)
        return stuck(entry, &r);
    put_time(entry, a.date_time);
    json_t *list = json_array();
    struct rd results = rd_of(a.results.p, a.results.len);
    struct rd data = rd_of(a.data.p, a.data.len);
    for (uint32_t i = 0; i < a.n && !results.err; i++) {
        uint8_t choice = 0, result = 0;
        access_get_result(&results, &choice, &result);
        json_t *value = tree_read(&data);
        const json_t *target = json_object_get(json_array_get(t->accessed, i), "target");
        if (result == COSEM_SUCCESS && choice != DLMS_ACCESS_SET)
            decode_put_named(entry, target, value);
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "kind", access_word(choice),
                                              "result", result_text(result), "data",
                                              value != NULL ? value : json_null()));
    }
    json_object_set_new(entry, "tree",
                        json_pack("{s:I, s:o}", "invoke_id",
                                  (json_int_t)(a.invoke & DLMS_LONG_INVOKE_ID), "results", list));
    return DECODE_OK;
}

enum decode_result decode_service(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    switch (apdu.p[0]) {
    case DLMS_DATA_NOTIFICATION:
        return decode_notification(entry, apdu);
    case DLMS_DATA_NOTIFICATION_CONFIRM:
        return decode_confirmation(entry, apdu);
    case DLMS_EVENT_NOTIFICATION:
        return decode_event(entry, apdu);
    case DLMS_ACCESS_REQUEST:
        return decode_access_request(entry, apdu, t);
    case DLMS_ACCESS_RESPONSE:
        return decode_access_response(entry, apdu, t);
    case DLMS_GET_REQUEST:
    case DLMS_SET_REQUEST:
    case DLMS_ACTION_REQUEST:
        return decode_request(entry, apdu, t);
    default:
        return decode_response(entry, apdu, t);
    }
}
