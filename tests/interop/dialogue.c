/* See dialogue.h. */
#include "tests/interop/dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define START "2026-03-28T12:00:00"
#define LOAD  "synth:u=231,i=7.5,pf=0.9,f=50.02,h3=4%"

/* As a meter offers it on HDLC over TCP. */
static const struct hdlc_config hdlc_of_a_meter = {
    .is_server = true,
    .parameters = {.max_info_tx = 1024, .max_info_rx = 1024, .window_tx = 7, .window_rx = 7},
    .inactivity_ms = 120000,
    .physical = 17,
};

void dialogue_connect(struct dialogue *d)
{
    struct dlms_link *link = d->is_hdlc ? &d->link.hdlc.link : &d->link.wrapper.link;
    session_close(&d->rig->session);
    session_init(&d->rig->session, &d->rig->meter.server);
    if (d->is_hdlc)
        assert_int_equal(
            hdlc_server_init(&d->link.hdlc, &hdlc_of_a_meter, d->buffer, sizeof d->buffer), ERR_OK);
    else
        wrapper_link_init_stream(&d->link.wrapper, true, d->buffer, COSEM_PDU_MAX);
    line_init(&d->line, link, &d->rig->session);
}

struct dialogue *dialogue_new(const char *model, bool is_hdlc)
{
    struct dialogue *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->is_hdlc = is_hdlc;
    d->rig = rig_new(model, START, LOAD);
    rig_live(d->rig, 20 * 3600);
    session_init(&d->rig->session, &d->rig->meter.server);
    dialogue_connect(d);
    return d;
}

void dialogue_free(struct dialogue *d)
{
    session_close(&d->rig->session);
    rig_free(d->rig);
    free(d);
}

size_t dialogue_say(struct dialogue *d, const uint8_t *p, size_t n, uint8_t *answer, size_t size)
{
    size_t used = 0, len = 0, moved;
    d->now_ms += 20;
    do {
        size_t fed = line_feed(&d->line, d->now_ms, p + used, n - used);
        size_t took = line_take(&d->line, d->now_ms, answer + len, size - len);
        used += fed;
        len += took;
        moved = fed + took;
    } while (moved > 0);
    assert_int_equal(used, n);
    assert_true(len < size);
    (void)line_poll(&d->line, d->now_ms);
    return len;
}
