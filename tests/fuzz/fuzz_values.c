/* Fuzz target of the value store: writes and methods of any octets on a device with every class.
 *
 * What is refused has changed nothing; what is taken leaves every value such that its descriptor
 * accepts it, and can be read. */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/cosem/all_classes.h"

#include <stdlib.h>
#include <string.h>

#define ASKS_MAX   32 /* what comes behind them finds nothing new */
#define VALUES_LEN (sizeof((struct all_classes *)0)->arena - ALL_CLASSES_VALUE_MAX - 4)

/* Attribute or method id (bit 7) with these octets, as the server would ask. */
static enum cosem_result ask(struct all_classes *d, const struct cosem_ref *o, uint8_t id,
                             struct bytes octets)
{
    const struct cosem_class *ic = cosem_class_find(o->row->kind->class_id, o->row->kind->version);
    struct cosem_call call = {.context = d, .role = COSEM_MANAGER, .device = &d->device};
    uint8_t room[64], n = id & 0x7F;
    struct wr reply = wr_of(room, sizeof room);
    struct rd r = rd_of(octets.p, octets.len);
    enum cosem_result result;
    if (id & 0x80) {
        if (n < 1 || n > ic->n_methods)
            return COSEM_READ_WRITE_DENIED;
        result = cosem_check_param(&ic->methods[n - 1], octets);
        return result ? result : o->row->kind->binding->invoke(&call, o, n, &r, &reply);
    }
    if (n < 2 || n > ic->n_attrs)
        return COSEM_READ_WRITE_DENIED;
    result = cosem_check_value(&ic->attrs[n - 1], octets);
    return result ? result : o->row->kind->binding->set(&call, o, n, &r);
}

static void read_all(struct all_classes *d, const struct cosem_ref *o)
{
    const struct cosem_class *ic = cosem_class_find(o->row->kind->class_id, o->row->kind->version);
    struct cosem_call call = {.context = d, .role = COSEM_MANAGER, .device = &d->device};
    const struct cosem_select all = {.selector = 0};
    for (uint8_t id = 2; id <= ic->n_attrs; id++) {
        uint8_t room[2048];
        struct wr w = wr_of(room, sizeof room);
        struct cosem_gen g = {.item = 0};
        enum cosem_result result = o->row->kind->binding->get(&call, o, id, &all, &g, &w);
        CHECK(result || g.more ||
              cosem_check_value(&ic->attrs[id - 1], (struct bytes){room, w.len}) == COSEM_SUCCESS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct all_classes d;
    static uint8_t before[sizeof d.arena];
    struct rd r = rd_of(data, size);
    CHECK(all_classes_init(&d));
    for (unsigned k = 0; k < ASKS_MAX && rd_left(&r) > 2; k++) {
        const struct cosem_row *row = &d.device.rows[rd_u8(&r) % d.device.n_rows];
        uint8_t id = rd_u8(&r);
        size_t n = rd_u8(&r);
        struct bytes octets = rd_bytes(&r, n < rd_left(&r) ? n : rd_left(&r));
        struct cosem_ref o = {.row = row};
        memcpy(o.ln, row->ln, sizeof o.ln);
        if (row->kind->binding != &values_binding)
            continue;
        memcpy(before, d.arena, VALUES_LEN);
        if (ask(&d, &o, id, octets) != COSEM_SUCCESS)
            CHECK(memcmp(before, d.arena, VALUES_LEN) == 0);
        read_all(&d, &o);
    }
    return 0;
}
