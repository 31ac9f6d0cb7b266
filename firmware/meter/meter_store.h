/* What the meter keeps in its flash, and where: keys, rings, the octets of the snapshot. Private to
 * firmware/meter. */
#ifndef FERRARIS_METER_STORE_H
#define FERRARIS_METER_STORE_H

#include "firmware/meter/meter.h"

enum meter_key {                        /* of the key-value area */
                 METER_KEY_MODEL,       /* name and order of the model: another board is refused */
                 METER_KEY_CLOCK,       /* attributes and preset of the clock object */
                 METER_KEY_SECURITY,    /* keys, policy, password: in plain */
                 METER_KEY_TX,          /* invocation counters below this may have been used */
                 METER_KEY_RX,          /* least acceptable counters of the clients */
                 METER_KEY_PARAMETERS,  /* legal parameters, transformer ratios, seal */
                 METER_KEY_LIMITS,      /* of the supervision, those that were chosen */
                 METER_KEY_LAYOUT,      /* of the profiles: meter_choice.c */
                 METER_KEY_LOGS = 20,   /* filters of the event logs, long outages */
                 METER_KEY_COLUMNS = 32 /* of profile p in generation g: + 2 p + g % 2 */
};

/* A value under a key: what w wrote; read into buf, *r stands at its begin. w's error and those of
 * nv_put(); ERR_NOT_FOUND and those of nv_get(). */
MUST_CHECK enum err meter_store_put(struct meter *m, unsigned key, const struct wr *w);
MUST_CHECK enum err meter_store_get(const struct meter *m, unsigned key, void *buf, size_t size,
                                    struct rd *r);
/* Mounts keys and rings. ERR_STATE: another model's flash. */
MUST_CHECK enum err meter_store_mount(struct meter *m, const struct hal_flash *flash);
/* Takes over what is there: clock parameters, security, counters. What is missing is written from
 * the present values. */
MUST_CHECK enum err meter_store_load(struct meter *m, const struct meter_config *config);
MUST_CHECK enum err meter_store_clock(struct meter *m);
MUST_CHECK enum err meter_store_security(struct meter *m, const struct dlms_keys *keys,
                                         uint8_t policy);
MUST_CHECK enum err meter_store_tx(struct meter *m, uint32_t limit);
/* Least acceptable counters; those that went up, `ahead` above what they are. */
MUST_CHECK enum err meter_store_rx(struct meter *m, uint32_t ahead);

void meter_put_floors(struct wr *w, const struct meter *m);
/* Counters only go up: the snapshot may be older or newer than the value under the key. */
void meter_raise_floors(struct rd *r, struct meter *m);
void meter_raise_tx(struct meter *m, uint32_t limit);

/* Legal parameters into the fresh legal part: what is under the key and the audit trail behind it.
 * At the first start `calibration` (may be NULL) and the seal instead, recorded. ERR_RANGE: no
 * calibration; ERR_CORRUPT, ERR_VERSION. */
MUST_CHECK enum err meter_load_parameters(struct meter *m,
                                          const struct legal_calibration *calibration);
MUST_CHECK enum err meter_store_parameters(struct meter *m);
MUST_CHECK enum err meter_audit_append(struct meter *m, uint16_t client_sap,
                                       const struct legal_audit *audit);

/* Records a change that is not the legal part's: parameter number and index, refused or done. Its
 * sequence and reason are filled in. */
MUST_CHECK enum err meter_audit_other(struct meter *m, uint16_t client_sap,
                                      struct legal_audit *change);

/* Chosen limits of the supervision: from the flash, to it, from an audit record that it may lack;
 * into the supervision. ERR_CORRUPT, ERR_VERSION. */
MUST_CHECK enum err meter_limits_load(struct meter *m);
MUST_CHECK enum err meter_limits_store(struct meter *m);
void meter_limits_redo(struct meter *m, const struct legal_audit *a);
void meter_limits_apply(struct meter *m);

/* Octets of a snapshot of this model. At its end is what the first snapshots of its format lacked:
 * credit of the readers, next hour and hour of the day of the logs, room of the events. */
#define METER_SNAPSHOT_LATER (1 + 8 + 1 + MODEL_N_EVENTS + 1)
size_t meter_snapshot_size(const struct model_meter *m);
/* Snapshot: registers, clock, demand, profile state, averages and counters in one ring record.
 * restore gives ERR_NOT_FOUND when there never was one; read is the part of it that reads the ring,
 * which may be one of shorter snapshots. */
MUST_CHECK enum err meter_store_snapshot(struct meter *m);
MUST_CHECK enum err meter_store_restore(struct meter *m);
MUST_CHECK enum err meter_snapshot_read(struct meter *m);
/* The octets of a snapshot of the version before into the meter; its profile's octets are
 * `profile`. ERR_VERSION, ERR_FORMAT. */
MUST_CHECK enum err meter_snapshot_take_2(struct meter *m, struct bytes snapshot,
                                          struct bytes *profile);

#endif
