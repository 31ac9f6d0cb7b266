/* What the meter keeps in its flash, and where: keys, rings, the octets of the snapshot. Private to
 * firmware/meter. */
#ifndef FERRARIS_METER_STORE_H
#define FERRARIS_METER_STORE_H

#include "firmware/meter/meter.h"

enum meter_key {                     /* of the key-value area */
                 METER_KEY_MODEL,    /* name of the model: a board of another type is refused */
                 METER_KEY_CLOCK,    /* attributes and preset of the clock object */
                 METER_KEY_SECURITY, /* keys, policy, password: in plain */
                 METER_KEY_TX,       /* invocation counters below this may have been used */
                 METER_KEY_RX        /* least acceptable counters of the clients */
};
enum { METER_RING_SNAPSHOT, METER_RING_PROFILE };

/* Lays the areas out and mounts them. */
MUST_CHECK enum err meter_store_mount(struct meter *m, const struct hal_flash *flash);
/* Takes over what is there: model, clock parameters, security, counters. What is missing is written
 * from the present values. ERR_STATE: another model's flash. */
MUST_CHECK enum err meter_store_load(struct meter *m, const struct meter_config *config);
MUST_CHECK enum err meter_store_clock(struct meter *m);
MUST_CHECK enum err meter_store_security(struct meter *m, const struct dlms_keys *keys,
                                         uint8_t policy);
MUST_CHECK enum err meter_store_tx(struct meter *m, uint32_t limit);
MUST_CHECK enum err meter_store_rx(struct meter *m);

/* Snapshot: registers, clock, demand, profile state and counters in one ring record. load gives
 * ERR_NOT_FOUND when there never was one. */
MUST_CHECK enum err meter_store_snapshot(struct meter *m);
MUST_CHECK enum err meter_store_restore(struct meter *m);

#endif
