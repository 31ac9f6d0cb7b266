/* The seven objects and their classes; the bindings of clock, register and HDLC setup. */
#include "firmware/images/dlms_small/small_meter.h"

#include "lib/cosem/ic.h"
#include "lib/dlms/datetime.h"

#define UNIT_WH       30
#define CLOCK_CRYSTAL 1

struct small_meter small_meter;

uint32_t small_utc(const struct small_meter *m)
{
    return (uint32_t)((m->base_ms + (int64_t)m->now_ms) / 1000);
}

uint32_t small_wh(const struct small_meter *m)
{
    return (uint32_t)((m->now_ms - m->wh_ms) / 1000);
}

void small_capture(struct small_meter *m)
{
    m->rows[m->n_written++ % SMALL_ROWS] = (struct small_row){small_utc(m), small_wh(m)};
}

static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)o, (void)sel, (void)g;
    if (attr == 2) {
        axdr_put_u32(out, small_wh(c->context));
    } else {
        axdr_put_struct(out, 2);
        axdr_put_i8(out, 0);
        axdr_put_enum(out, UNIT_WH);
    }
    return COSEM_SUCCESS;
}

static enum cosem_result invoke_register(const struct cosem_call *c, const struct cosem_ref *o,
                                         uint8_t method, struct rd *param, struct wr *reply)
{
    struct small_meter *m = c->context;
    (void)o, (void)method, (void)param, (void)reply;
    m->wh_ms = m->now_ms;
    return COSEM_SUCCESS;
}

/* UTC without daylight saving: deviation and rules are fixed. */
static enum cosem_result get_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    static const uint8_t never[DATETIME_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                0xFF, 0xFF, 0xFF, 0x80, 0,    0xFF};
    struct datetime now = datetime_from_utc(small_utc(c->context), 0, 0);
    (void)o, (void)sel, (void)g;
    switch (attr) {
    case 2:
        datetime_put(out, &now);
        break;
    case 3:
        axdr_put_i16(out, 0);
        break;
    case 4:
        axdr_put_u8(out, now.status);
        break;
    case 5:
    case 6:
        axdr_put_octets(out, never, sizeof never);
        break;
    case 7:
        axdr_put_i8(out, 0);
        break;
    case 8:
        axdr_put_bool(out, false);
        break;
    default:
        axdr_put_enum(out, CLOCK_CRYSTAL);
        break;
    }
    return COSEM_SUCCESS;
}

static enum cosem_result set_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, struct rd *value)
{
    struct small_meter *m = c->context;
    struct datetime d;
    int64_t utc;
    (void)o;
    if (attr != 2)
        return COSEM_READ_WRITE_DENIED;
    datetime_get(value, &d);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    if (datetime_to_utc(&d, 0, &utc) || utc > UINT32_MAX)
        return COSEM_OTHER_REASON;
    m->base_ms = utc * 1000 - (int64_t)m->now_ms;
    return COSEM_SUCCESS;
}

/* Attributes 2 to 9 of class 23: how this line is set. */
static enum cosem_result get_hdlc(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    const struct hdlc_config *h = &((const struct small_meter *)c->context)->link->config;
    (void)o, (void)sel, (void)g;
    switch (attr) {
    case 2:
        axdr_put_enum(out, SMALL_SPEED);
        break;
    case 3:
        axdr_put_u8(out, h->parameters.window_tx);
        break;
    case 4:
        axdr_put_u8(out, h->parameters.window_rx);
        break;
    case 5:
        axdr_put_u16(out, h->parameters.max_info_tx);
        break;
    case 6:
        axdr_put_u16(out, h->parameters.max_info_rx);
        break;
    case 7:
        axdr_put_u16(out, (uint16_t)h->inter_octet_ms);
        break;
    case 8:
        axdr_put_u16(out, (uint16_t)(h->inactivity_ms / 1000));
        break;
    default:
        axdr_put_u16(out, h->physical);
        break;
    }
    return COSEM_SUCCESS;
}

static const struct cosem_binding binding_register = {.get = get_register,
                                                      .invoke = invoke_register};
static const struct cosem_binding binding_clock = {.get = get_clock, .set = set_clock};
static const struct cosem_binding binding_hdlc = {.get = get_hdlc};

/* Bit n-1 for attribute or method n. Public sees the counter alone, to begin an association. */
static const struct cosem_rights rights_counter = {
    .read = {[COSEM_PUBLIC] = 0x3, [COSEM_MANAGER] = 0x3}};
static const struct cosem_rights rights_register = {.read = {[COSEM_MANAGER] = 0x7},
                                                    .invoke = {[COSEM_MANAGER] = 0x1}};
static const struct cosem_rights rights_profile = {.read = {[COSEM_MANAGER] = 0xFF},
                                                   .write = {[COSEM_MANAGER] = 0x08},
                                                   .invoke = {[COSEM_MANAGER] = 0x3}};
static const struct cosem_rights rights_clock = {.read = {[COSEM_MANAGER] = 0x1FF},
                                                 .write = {[COSEM_MANAGER] = 0x2}};
static const struct cosem_rights rights_association = {
    .read = {[COSEM_PUBLIC] = 0x1BF, [COSEM_MANAGER] = 0x1BF}, /* all but the secret */
    .invoke = {[COSEM_MANAGER] = 0x1}};
static const struct cosem_rights rights_hdlc = {.read = {[COSEM_MANAGER] = 0x1FF}};
static const struct cosem_rights rights_security = {.read = {[COSEM_MANAGER] = 0x1F},
                                                    .invoke = {[COSEM_MANAGER] = 0x3}};

static const struct cosem_row rows[] = {
    {.ln = {0, 0, 43, 1, 0, 255},
     .kind =
         COSEM_KIND(.class_id = 1, .rights = &rights_counter, .binding = &cosem_binding_counter)},
    {.ln = {1, 0, 1, 8, 0, 255},
     .kind = COSEM_KIND(.class_id = 3, .rights = &rights_register, .binding = &binding_register)},
    {.ln = {1, 0, 99, 1, 0, 255},
     .kind = COSEM_KIND(.class_id = 7, .version = 1, .rights = &rights_profile,
                        .binding = &small_binding_profile)},
    {.ln = {0, 0, 1, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 8, .rights = &rights_clock, .binding = &binding_clock)},
    {.ln = {0, 0, 40, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 15, .version = 1, .rights = &rights_association,
                        .binding = &cosem_binding_association)},
    {.ln = {0, 0, 22, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 23, .version = 1, .rights = &rights_hdlc,
                        .binding = &binding_hdlc)},
    {.ln = {0, 0, 43, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 64, .rights = &rights_security,
                        .binding = &cosem_binding_security)},
};
const struct cosem_device small_device = {.sap = 1,
                                          .name = "FERsmall00000001",
                                          .rows = rows,
                                          .n_rows = sizeof rows / sizeof rows[0],
                                          .context = &small_meter};

/* The classes of the rows and no others: the table of lib/cosem/classes.c stays out of the image.
 */
const struct cosem_class *const cosem_classes[] = {
    &cosem_ic_0001, &cosem_ic_0003,    &cosem_ic_0007, &cosem_ic_0008,
    &cosem_ic_0015, &cosem_ic_0023_v1, &cosem_ic_0064,
};
const size_t cosem_n_classes = sizeof cosem_classes / sizeof cosem_classes[0];
