#include "tests/firmware/meter/entries.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

size_t entries(const struct rig *r, unsigned log, struct meter_log_entry *out, size_t max)
{
    const uint32_t n = meter_log_count(&r->meter, log);
    const uint64_t first = meter_log_newest(&r->meter, log) - n + 1;
    assert_true(n <= max);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(meter_log_read(&r->meter, log, first + i, &out[i]), ERR_OK);
    return n;
}

static unsigned find(const struct rig *r, enum model_event e, struct meter_log_entry *newest)
{
    static struct meter_log_entry entry[1024];
    struct model_event_place place;
    unsigned n_found = 0;
    if (!model_event_place(r->meter.model, e, &place))
        return 0;
    const size_t n = entries(r, place.log, entry, 1024);
    for (size_t i = 0; i < n; i++) {
        if (entry[i].code != place.code)
            continue;
        *newest = entry[i];
        n_found++;
    }
    return n_found;
}

unsigned entries_of(const struct rig *r, enum model_event e)
{
    struct meter_log_entry newest;
    return find(r, e, &newest);
}

bool entry_of(const struct rig *r, enum model_event e, struct meter_log_entry *out)
{
    return find(r, e, out) > 0;
}
