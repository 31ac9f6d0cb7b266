/* The smallest meter that speaks DLMS/COSEM in earnest: one line (HDLC), one association with
 * HLS 5 and AES-GCM, seven objects, no storage. It shows what the core costs on a Cortex-M4 and is
 * a pattern for a port; it measures nothing: its register counts one watt-hour a second.
 *
 * What it does not have a product must have: counters reserved in non-volatile memory (lib/nv), so
 * this image may be started once only for each set of keys; a real source of randomness; a
 * watchdog. */
#ifndef FERRARIS_SMALL_METER_H
#define FERRARIS_SMALL_METER_H

#include "lib/cosem/line.h"
#include "lib/dlms/hdlc.h"

#define SMALL_ROWS  16 /* of the profile; the oldest is overwritten */
#define SMALL_SPEED 5  /* 9600 baud, enumeration of class 23 */

struct small_row {
    uint32_t utc_s, wh;
};
struct small_meter {
    uint64_t now_ms;    /* of the loop's present turn */
    int64_t base_ms;    /* UTC at start; moved by setting the clock */
    uint64_t wh_ms;     /* start of the register's count */
    uint32_t period_s;  /* of the profile; 0: captures by method only */
    uint64_t next_ms;   /* of the next capture */
    uint32_t n_written; /* rows ever captured */
    struct small_row rows[SMALL_ROWS];
    const struct hdlc *link; /* for the HDLC setup object */
};

extern const struct cosem_device small_device; /* its context is small_meter */
extern struct small_meter small_meter;

uint32_t small_utc(const struct small_meter *m);
uint32_t small_wh(const struct small_meter *m);
void small_capture(struct small_meter *m);

/* bindings, small_profile.c and small_objects.c */
extern const struct cosem_binding small_binding_profile;

#endif
