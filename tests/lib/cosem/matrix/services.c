/* Every service, see services.h. Long values are longer than a PDU of the other side. */
#include "tests/lib/cosem/matrix/services.h"

#include "lib/cosem/profile_select.h"

#include <string.h>

#define LONG_TEXT  600 /* longer than the server's PDU */
#define LONG_REPLY 400 /* longer than the client's */

/* An octet-string of n octets 0, 1, 2 ... as A-XDR. */
static size_t text_value(uint8_t *to, size_t size, size_t n, uint8_t first)
{
    uint8_t text[RIG_NOTE];
    struct wr w = wr_of(to, size);
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t)(first + i);
    axdr_put_octets(&w, text, n);
    return w.err ? 0 : w.len;
}

static bool is_text(const struct rig_item *item, size_t n, uint8_t first)
{
    uint8_t expected[RIG_NOTE + 4];
    size_t len = text_value(expected, sizeof expected, n, first);
    return item->done && item->result == COSEM_SUCCESS && item->len == len &&
           memcmp(item->octets, expected, len) == 0;
}

static bool is_note(const struct rig *m, unsigned i, size_t n, uint8_t first)
{
    if (m->note_len[i] != n)
        return false;
    for (size_t k = 0; k < n; k++) {
        if (m->note[i][k] != (uint8_t)(first + k))
            return false;
    }
    return true;
}

static bool is_name(const struct rig_item *item)
{
    return item->done && item->result == COSEM_SUCCESS && item->len == 18 &&
           memcmp(item->octets + 2, "FER0000000000001", 16) == 0;
}

static bool is_register(const struct rig_item *item)
{
    struct rd r = rd_of(item->octets, item->len);
    return item->done && item->result == COSEM_SUCCESS && axdr_get_uint(&r) == 123456 && !r.err &&
           rd_left(&r) == 0;
}

/* Rows from .. to of the profile, whole. */
static bool is_profile(const struct rig_item *item, uint32_t from, uint32_t to)
{
    struct rd r = rd_of(item->octets, item->len);
    if (!item->done || item->result || axdr_get_array(&r) != to - from + 1)
        return false;
    for (uint32_t k = from; k <= to; k++) {
        axdr_get_struct(&r, 1);
        if (axdr_get_uint(&r) != k)
            return false;
    }
    return !r.err && rd_left(&r) == 0;
}

static bool run(struct rig *m, enum err begun)
{
    return begun == ERR_OK && rig_run(m) && m->client.state == CLIENT_READY;
}

static bool get(struct rig *m, const struct apdu_attr *a)
{
    const struct cosem_client_sink sink = rig_sink(m);
    rig_clear(m);
    return run(m, cosem_client_get(&m->client, m->now_ms, a, &sink));
}

static bool set(struct rig *m, const struct apdu_attr *a, const uint8_t *value, size_t n)
{
    const struct cosem_client_sink sink = rig_sink(m);
    rig_clear(m);
    return run(m, cosem_client_set(&m->client, m->now_ms, a, (struct bytes){value, n}, &sink));
}

static bool act(struct rig *m, const struct apdu_attr *a, const uint8_t *param, size_t n)
{
    const struct cosem_client_sink sink = rig_sink(m);
    struct apdu_attr method = *a;
    method.parameter = (struct bytes){param, n};
    rig_clear(m);
    return run(m, cosem_client_action(&m->client, m->now_ms, &method, &sink));
}

/* ---- GET ---- */

static const char *get_normal(struct rig *m)
{
    if (!get(m, &rig_name) || !is_name(&m->item[0]))
        return "the name is not as it is";
    return get(m, &rig_register) && is_register(&m->item[0]) ? NULL : "the register is wrong";
}

static const char *get_missing(struct rig *m)
{
    if (!get(m, &rig_missing) || m->item[0].result != COSEM_OBJECT_UNDEFINED)
        return "an object that is not there was not refused so";
    return get_normal(m);
}

static const char *get_long(struct rig *m)
{
    return get(m, &rig_profile) && is_profile(&m->item[0], 1, RIG_ROWS) ? NULL
                                                                        : "the rows are not all";
}

static const char *get_selected(struct rig *m)
{
    uint8_t octets[32];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = rig_profile;
    profile_put_entries(&w, &(struct profile_entries){.from = 3, .to = 5, .from_column = 1});
    a.selector = PROFILE_BY_ENTRY;
    a.parameter = (struct bytes){octets, w.len};
    return get(m, &a) && is_profile(&m->item[0], 3, 5) ? NULL : "not entries 3 to 5";
}

static const char *get_list(struct rig *m)
{
    const struct apdu_attr list[] = {rig_name, rig_missing, rig_register};
    const struct cosem_client_sink sink = rig_sink(m);
    rig_clear(m);
    if (!run(m, cosem_client_get_list(&m->client, m->now_ms, list, 3, &sink)))
        return "the list is not answered";
    return is_name(&m->item[0]) && m->item[1].result == COSEM_OBJECT_UNDEFINED &&
                   is_register(&m->item[2])
               ? NULL
               : "an element is wrong";
}

static const char *get_long_list(struct rig *m)
{
    const struct apdu_attr list[] = {rig_name, rig_profile, rig_register, rig_profile};
    const struct cosem_client_sink sink = rig_sink(m);
    rig_clear(m);
    if (!run(m, cosem_client_get_list(&m->client, m->now_ms, list, 4, &sink)))
        return "the list is not answered";
    return is_name(&m->item[0]) && is_profile(&m->item[1], 1, RIG_ROWS) &&
                   is_register(&m->item[2]) && is_profile(&m->item[3], 1, RIG_ROWS)
               ? NULL
               : "an element is wrong";
}

/* ---- SET ---- */

static const char *set_of(struct rig *m, size_t n, uint8_t first)
{
    uint8_t value[RIG_NOTE + 4];
    size_t len = text_value(value, sizeof value, n, first);
    if (!set(m, &rig_note[0], value, len) || !m->item[0].done || m->item[0].result)
        return "the value is not taken";
    if (!is_note(m, 0, n, first))
        return "another value is stored";
    return get(m, &rig_note[0]) && is_text(&m->item[0], n, first) ? NULL : "another comes back";
}

static const char *set_normal(struct rig *m)
{
    return set_of(m, 10, 7);
}

static const char *set_long(struct rig *m)
{
    return set_of(m, LONG_TEXT, 3);
}

static const char *set_wrong_type(struct rig *m)
{
    const uint8_t value[] = {AXDR_BOOL, 1};
    const uint8_t before = m->note[0][0];
    if (!set(m, &rig_note[0], value, sizeof value) || m->item[0].result != COSEM_TYPE_UNMATCHED)
        return "a value of another type was not refused so";
    return m->note[0][0] == before ? NULL : "the refused value changed something";
}

static const char *set_list_of(struct rig *m, size_t n, uint8_t first)
{
    const struct apdu_attr list[] = {rig_note[0], rig_missing, rig_note[1]};
    const struct cosem_client_sink sink = rig_sink(m);
    uint8_t values[2 * RIG_NOTE + 16];
    size_t len = text_value(values, sizeof values, n, first);
    values[len++] = AXDR_NULL;
    len += text_value(values + len, sizeof values - len, 5, 200);
    rig_clear(m);
    if (!run(m, cosem_client_set_list(&m->client, m->now_ms, list, 3, (struct bytes){values, len},
                                      &sink)))
        return "the list is not answered";
    if (!m->item[0].done || m->item[0].result || m->item[1].result != COSEM_OBJECT_UNDEFINED ||
        !m->item[2].done || m->item[2].result)
        return "a result is wrong";
    return is_note(m, 0, n, first) && is_note(m, 1, 5, 200) ? NULL : "other values are stored";
}

static const char *set_list(struct rig *m)
{
    return set_list_of(m, 9, 1);
}

static const char *set_long_list(struct rig *m)
{
    return set_list_of(m, LONG_TEXT, 9);
}

/* ---- ACTION ---- */

static const char *action_bare(struct rig *m)
{
    return act(m, &rig_echo, NULL, 0) && m->item[0].done && !m->item[0].result &&
                   m->item[0].len == 0
               ? NULL
               : "a method without parameter";
}

static const char *action_of(struct rig *m, size_t n)
{
    uint8_t value[RIG_NOTE + 4];
    size_t len = text_value(value, sizeof value, n, 77);
    return act(m, &rig_echo, value, len) && is_text(&m->item[0], n, 77) ? NULL
                                                                        : "another value came back";
}

static const char *action_normal(struct rig *m)
{
    return action_of(m, 12);
}

/* A parameter longer than the server's PDU, then an answer longer than the client's. */
static const char *action_long(struct rig *m)
{
    uint8_t value[RIG_NOTE + 4];
    size_t len = text_value(value, sizeof value, LONG_TEXT, 77);
    const uint8_t length[] = {AXDR_U16, (uint8_t)(len >> 8), (uint8_t)len};
    const uint8_t want[] = {AXDR_U16, LONG_REPLY >> 8, LONG_REPLY & 0xFF};
    if (!act(m, &rig_length, value, len) || m->item[0].result || m->item[0].len != 3 ||
        memcmp(m->item[0].octets, length, 3) != 0)
        return "the parameter did not come whole";
    return act(m, &rig_text, want, sizeof want) && is_text(&m->item[0], LONG_REPLY, 0)
               ? NULL
               : "the answer did not come whole";
}

static const char *action_list_of(struct rig *m, size_t n)
{
    struct apdu_attr list[] = {rig_echo, rig_missing, rig_echo};
    const struct cosem_client_sink sink = rig_sink(m);
    uint8_t value[RIG_NOTE + 4];
    size_t len = text_value(value, sizeof value, n, 5);
    list[0].parameter = list[2].parameter = (struct bytes){value, len};
    rig_clear(m);
    if (!run(m, cosem_client_action_list(&m->client, m->now_ms, list, 3, &sink)))
        return "the list is not answered";
    return is_text(&m->item[0], n, 5) && m->item[1].result == COSEM_OBJECT_UNDEFINED &&
                   is_text(&m->item[2], n, 5)
               ? NULL
               : "an element is wrong";
}

static const char *action_list(struct rig *m)
{
    return action_list_of(m, 10);
}

static const char *action_long_list(struct rig *m)
{
    return action_list_of(m, 220);
}

/* ---- ACCESS ---- */

static const char *access_of(struct rig *m, size_t n)
{
    const struct access_spec specs[] = {{.choice = DLMS_ACCESS_GET, .target = rig_name},
                                        {.choice = DLMS_ACCESS_SET, .target = rig_note[1]},
                                        {.choice = DLMS_ACCESS_ACTION, .target = rig_echo},
                                        {.choice = DLMS_ACCESS_GET, .target = rig_missing}};
    const struct cosem_client_sink sink = rig_sink(m);
    uint8_t data[2 * RIG_NOTE + 16] = {AXDR_NULL};
    size_t len = 1;
    len += text_value(data + len, sizeof data - len, n, 31);
    len += text_value(data + len, sizeof data - len, 8, 60);
    data[len++] = AXDR_NULL;
    rig_clear(m);
    if (!run(m, cosem_client_access(&m->client, m->now_ms, specs, 4, (struct bytes){data, len},
                                    &sink)))
        return "the request is not answered";
    if (!is_name(&m->item[0]) || !m->item[1].done || m->item[1].result ||
        !is_text(&m->item[2], 8, 60) || m->item[3].result != COSEM_OBJECT_UNDEFINED)
        return "an element is wrong";
    return is_note(m, 1, n, 31) ? NULL : "another value is stored";
}

static const char *access_short(struct rig *m)
{
    return access_of(m, 16);
}

static const char *access_long(struct rig *m)
{
    return access_of(m, LONG_TEXT);
}

/* ---- what the server says unasked ---- */

/* At once on most lines; where the server speaks only when polled, at the next poll. */
static void wait_for(struct rig *m, const unsigned *n)
{
    rig_settle(m);
    for (unsigned tries = 0; *n == 0 && tries < 10 && rig_wait(m); tries++) {
    }
    rig_settle(m);
}

static const char *notify_data(struct rig *m, bool confirmed)
{
    const uint8_t body[] = {AXDR_U16, 0x12, 0x34};
    const struct apdu_notification n = {.invoke = 9, .body = {body, sizeof body}};
    const struct session_push to = {.confirm_ms = confirmed ? 5000 : 0};
    enum err err = session_notify_data(&m->session, m->now_ms, &to, &n);
    while (err == ERR_BUSY && rig_wait(m))
        err = session_notify_data(&m->session, m->now_ms, &to, &n);
    if (err)
        return "the session does not take it";
    wait_for(m, &m->n_notices);
    if (m->n_notices != 1 || m->notice_value != 0x1234)
        return "it did not come";
    return get_normal(m);
}

static const char *notify_data_plain(struct rig *m)
{
    return notify_data(m, false);
}

static const char *notify_data_confirmed(struct rig *m)
{
    const char *wrong = notify_data(m, true);
    if (wrong)
        return wrong;
    return session_notice(&m->session) == NOTICE_CONFIRMED ? NULL : "it is not confirmed";
}

static const char *notify_event(struct rig *m)
{
    const uint8_t value[] = {AXDR_U8, 42};
    const struct apdu_event e = {.target = rig_register, .value = {value, sizeof value}};
    const struct session_push to = {.client_sap = 0};
    enum err err = session_notify_event(&m->session, &to, &e);
    while (err == ERR_BUSY && rig_wait(m))
        err = session_notify_event(&m->session, &to, &e);
    if (err)
        return "the session does not take it";
    wait_for(m, &m->n_events);
    if (m->n_events != 1 || m->notice_value != 42)
        return "it did not come";
    return get_normal(m);
}

/* ---- the association ---- */

static const char *release_and_return(struct rig *m)
{
    for (unsigned i = 0; i < 3; i++) {
        if (cosem_client_release(&m->client, m->now_ms) || !rig_run(m) ||
            m->client.state != CLIENT_CLOSED)
            return "not released";
        if (!rig_connect(m))
            return "not let in again";
    }
    return get_normal(m);
}

const struct rig_service rig_services[] = {
    {"GET", 0, get_normal},
    {"GET of what is not there", 0, get_missing},
    {"GET by blocks", 0, get_long},
    {"GET selected", 0, get_selected},
    {"GET with list", 0, get_list},
    {"GET with list by blocks", 0, get_long_list},
    {"SET", 0, set_normal},
    {"SET of another type", 0, set_wrong_type},
    {"SET by blocks", 0, set_long},
    {"SET with list", 0, set_list},
    {"SET with list by blocks", 0, set_long_list},
    {"ACTION", 0, action_bare},
    {"ACTION with parameter and answer", 0, action_normal},
    {"ACTION by blocks", 0, action_long},
    {"ACTION with list", 0, action_list},
    {"ACTION with list by blocks", 0, action_long_list},
    {"ACCESS", 0, access_short},
    {"ACCESS by general blocks", 4, access_long},
    {"GET by general blocks", 1, get_long},
    {"GET by general blocks, window 5", 5, get_long},
    {"GET with list by general blocks", 3, get_long_list},
    {"SET by general blocks", 2, set_long},
    {"ACTION by general blocks", 63, action_long},
    {"data-notification", 0, notify_data_plain},
    {"data-notification, confirmed", 0, notify_data_confirmed},
    {"event-notification", 0, notify_event},
    {"release", 0, release_and_return},
};
const size_t rig_n_services = sizeof rig_services / sizeof rig_services[0];
