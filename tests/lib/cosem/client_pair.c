/* See client_pair.h. */
#include "tests/lib/cosem/client_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const struct apdu_attr pair_note_attr = {.class_id = 1, .ln = {0, 0, 96, 1, 1, 255}, .id = 2};
const struct apdu_attr pair_name_attr = {.class_id = 1, .ln = {0, 0, 42, 0, 0, 255}, .id = 2};
const struct apdu_attr pair_profile_attr = {.class_id = 7, .ln = {1, 0, 99, 1, 0, 255}, .id = 2};
const struct apdu_attr pair_echo_method = {.class_id = 6, .ln = {0, 0, 14, 0, 0, 255}, .id = 3};
const struct apdu_attr pair_count_method = {.class_id = 9, .ln = {0, 0, 10, 0, 0, 255}, .id = 1};

void pair_init(struct pair *p)
{
    memset(p, 0, sizeof *p);
    example_init(&p->x);
    p->random = 1;
    p->item_limit = sizeof p->item[0].octets;
    p->counter = (struct dlms_counter){.next = 1};
    p->keys.has_guek = p->keys.has_gak = true;
    memcpy(p->keys.guek, example_guek, 16);
    memcpy(p->keys.gak, example_gak, 16);
    wrapper_link_init_stream(&p->link, true, p->link_buffer, sizeof p->link_buffer);
    line_init(&p->line, &p->link.link, &p->x.session);
}

void pair_end(struct pair *p)
{
    cosem_client_end(&p->c);
    example_end(&p->x);
}

static void notified(void *context, const struct cosem_client_notice *notice)
{
    struct pair *p = context;
    const struct bytes v = notice->is_event ? notice->event.value : notice->data.body;
    p->n_events += notice->is_event;
    p->n_notices += !notice->is_event;
    p->notice_invoke = notice->data.invoke;
    assert_true(v.len <= sizeof p->notice);
    memcpy(p->notice, v.p, v.len);
    p->notice_len = v.len;
}

struct cosem_client_config pair_manager(struct pair *p)
{
    struct cosem_client_config k = {.client_sap = SAP_MANAGER,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_HLS5,
                                    .security = DLMS_SC_AUTH | DLMS_SC_ENC,
                                    .timeout_ms = 3000,
                                    .keys = &p->keys,
                                    .counter = &p->counter,
                                    .rng = &p->x.rng,
                                    .notified = notified,
                                    .notified_context = p};
    memcpy(k.title, example_client_title, sizeof k.title);
    return k;
}

struct cosem_client_config pair_reader(struct pair *p)
{
    return (struct cosem_client_config){.client_sap = SAP_READER,
                                        .server_sap = 1,
                                        .mechanism = DLMS_MECHANISM_LLS,
                                        .password = EXAMPLE_PASSWORD,
                                        .timeout_ms = 3000,
                                        .notified = notified,
                                        .notified_context = p};
}

static bool take_data(void *context, uint32_t index, struct bytes part)
{
    struct pair *p = context;
    assert_true(index < PAIR_ITEMS);
    struct pair_item *i = &p->item[index];
    if (part.len > p->item_limit - i->len)
        return false;
    memcpy(i->octets + i->len, part.p, part.len);
    i->len += part.len;
    return true;
}

static void take_done(void *context, uint32_t index, enum cosem_result result)
{
    struct pair *p = context;
    assert_true(index < PAIR_ITEMS);
    p->item[index].n_done++;
    p->item[index].result = result;
}

struct cosem_client_sink pair_sink(struct pair *p)
{
    for (size_t i = 0; i < PAIR_ITEMS; i++)
        p->item[i].len = p->item[i].n_done = 0;
    return (struct cosem_client_sink){.context = p, .data = take_data, .done = take_done};
}

/* ---- the line ---- */

static bool draw(struct pair *p, unsigned per_cent)
{
    p->random = p->random * 1664525u + 1013904223u;
    return (p->random >> 16) % 100 < per_cent;
}

static bool up(struct pair *p)
{
    if (p->up_at == p->up_len) {
        const size_t n = cosem_client_take(&p->c, p->up, sizeof p->up);
        p->up_at = 0;
        p->up_len = draw(p, p->loss) ? 0 : n;
        p->n_up += n > 0;
        if (p->up_len > 0 && draw(p, p->doubling))
            (void)line_feed(&p->line, p->now_ms, p->up, p->up_len);
        if (p->up_len == 0)
            return n > 0;
    }
    const size_t used = line_feed(&p->line, p->now_ms, p->up + p->up_at, p->up_len - p->up_at);
    p->up_at += used;
    return used > 0;
}

static bool down(struct pair *p)
{
    if (p->down_at == p->down_len) {
        const size_t n = line_take(&p->line, p->now_ms, p->down, sizeof p->down);
        p->down_at = 0;
        p->down_len = draw(p, p->loss) ? 0 : n;
        p->n_down += n > 0;
        if (p->down_len > 0 && draw(p, p->doubling))
            (void)cosem_client_feed(&p->c, p->now_ms, p->down, p->down_len);
        if (p->down_len == 0)
            return n > 0;
    }
    const size_t used =
        cosem_client_feed(&p->c, p->now_ms, p->down + p->down_at, p->down_len - p->down_at);
    p->down_at += used;
    return used > 0;
}

void pair_settle(struct pair *p)
{
    for (bool moved = true; moved;) {
        moved = up(p);
        moved |= down(p);
    }
}

void pair_run(struct pair *p)
{
    const uint64_t end = p->now_ms + 600000;
    pair_settle(p);
    while (cosem_client_waiting(&p->c) && p->now_ms < end) {
        const uint64_t a = cosem_client_poll(&p->c, p->now_ms), b = line_poll(&p->line, p->now_ms);
        const uint64_t next = a < b ? a : b;
        p->now_ms = next > p->now_ms && next < end ? next : p->now_ms + 1;
        (void)cosem_client_poll(&p->c, p->now_ms);
        (void)line_poll(&p->line, p->now_ms);
        pair_settle(p);
    }
}

void pair_connect(struct pair *p, const struct cosem_client_config *k)
{
    char text[200];
    assert_int_equal(cosem_client_init(&p->c, k), ERR_OK);
    assert_int_equal(cosem_client_connect(&p->c, p->now_ms), ERR_OK);
    pair_run(p);
    (void)cosem_client_explain(&p->c, text, sizeof text);
    if (p->c.state != CLIENT_READY)
        fail_msg("no association: %s", text);
}

struct bytes pair_note(uint8_t *to, size_t size, size_t n, uint8_t first)
{
    struct wr w = wr_of(to, size);
    wr_u8(&w, AXDR_OCTETS);
    wr_length(&w, n);
    for (size_t i = 0; i < n; i++)
        wr_u8(&w, (uint8_t)(first + i));
    assert_int_equal(w.err, ERR_OK);
    return (struct bytes){to, w.len};
}
