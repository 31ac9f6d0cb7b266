/* The meter application: legal registers, clock, demand, load profile, storage and the objects that
 * show them, in one struct without heap, I/O or a clock of its own.
 *
 *     waveform -> meter_samples() -> legal -> registers -> snapshot, load profile (nv)
 *                                                 |
 *     client <-> cosem_session (server) <- objects (bindings of model/objects.c)
 *
 * Time passes only by the duration of what is fed, so a year of life is a test of a minute and
 * eight meters live side by side in one process. The caller owns struct meter and its flash; a
 * power cut is simply the end of the struct, and meter_init() on the same flash is the restart.
 *
 * What holds after any cut (docs/SPEC-storage.md for the flash below it):
 *  1. registers, demand and profile state are one record (snapshot), old or new, never a mix;
 *  2. a row of the profile is in the snapshot that closes its interval before it is in the ring,
 *     and meter_init() completes the ring from it: no row is lost or doubled, and the interval
 *     energies of the rows sum up to the register differences to the last unit;
 *  3. nothing a client was told is forgotten (meter_tell.h), counters never repeat;
 *  4. without warning at most METER_SNAPSHOT_S of consumption is lost, with it nothing.
 * Keys and password lie in the flash in plain: whoever opens the housing can read them. */
#ifndef FERRARIS_METER_H
#define FERRARIS_METER_H

#include "firmware/legal/legal_state.h"
#include "firmware/meter/meter_audit.h"
#include "firmware/meter/meter_average.h"
#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_clock.h"
#include "firmware/meter/meter_demand.h"
#include "firmware/meter/meter_log.h"
#include "firmware/meter/meter_outage.h"
#include "firmware/meter/meter_profile.h"
#include "firmware/meter/meter_ratio.h"
#include "firmware/meter/meter_time.h"
#include "firmware/meter/meter_watch.h"
#include "lib/cosem/server.h"
#include "lib/nv/nv.h"
#include "model/objects.h"

#define METER_SNAPSHOT_S   60 /* of meter time between two snapshots at most */
#define METER_PASSWORD_MAX 64
#define METER_SERIAL_LEN   10      /* digits */
#define METER_VERSION      "0.1.0" /* of this application, 1-1:0.2.0 */

/* What a clock can show: the years 2000 to 2099, nanoseconds since 1970 (the end is outside). */
#define METER_TIME_MIN_NS (INT64_C(946684800) * METER_NS)
#define METER_TIME_END_NS (INT64_C(4102444800) * METER_NS)

/* Flash a meter needs, in sectors of METER_SECTOR_SIZE. */
uint32_t meter_n_sectors(const struct model_meter *model);

struct meter_config {
    const struct model_meter *model;
    uint32_t without; /* functions not ordered: MODEL_* bits taken away; none with MODEL_ONLY */
    char serial[METER_SERIAL_LEN + 1]; /* ten digits */
    const struct hal_flash *flash;     /* sectors of METER_SECTOR_SIZE, outlives the meter */
    const struct hal_rng *rng;         /* outlives the meter */
    /* Factory values, taken over at the first start; later the flash's hold (key transfer). Without
     * keys nobody gets in by HLS, without a password ("") nobody by LLS. */
    struct dlms_keys keys;
    char password[METER_PASSWORD_MAX + 1];
    int64_t time_ns;   /* crystal at power-up: nanoseconds since 1970, UTC at the first start */
    bool crystal_lost; /* the reserve ran out: it stood still or began anew, time_ns says nothing;
                          so does one outside 2000..2099 */
    /* Of a virtual meter: when time_ns is behind the newest snapshot, the whole world stood still
     * since that, not the crystal alone. */
    bool frozen;
    struct meter_crystal crystal; /* as measured by the factory; taken over like the keys */
    uint64_t u_lsb_fv;            /* front end: femtovolt and femtoampere per count */
    uint64_t i_lsb_fa;
    /* What the factory found out about this front end; taken over and sealed at the first start.
     * NULL: nothing to correct. */
    const struct legal_calibration *calibration;
    uint32_t f_mhz;         /* nominal frequency as ordered, 50 000 or 60 000; 0: the model's */
    uint32_t inactivity_ms; /* a silent session is closed; 0 never */
};

/* Logical devices' clients, in the order of the server's entries. */
enum {
    METER_SAP_PUBLIC = 16,
    METER_SAP_MANAGER = 1,
    METER_SAP_READER = 2,
    METER_SAP_READER_HLS = 3
};

/* Configuration of the legal part of a meter of this model (with its order applied): wiring,
 * nominal values, starting currents, LED constants, rates, slew limits. lsb: of the voltage and
 * current channels, femtovolt and femtoampere per count (legal_init() checks them). No losses, no
 * calibration. */
void meter_legal_config(const struct model_meter *m, uint64_t u_lsb_fv, uint64_t i_lsb_fa,
                        struct legal_config *out);

/* The large fields come last, here and in the structures inside: what is nearer to the begin than
 * 4 KiB is one instruction away, and the nearer, the shorter the instruction (an octet up to 31, a
 * word up to 124). */
struct meter { /* fields are private to firmware/meter, but for server (sessions) and fault */
    const struct model_meter *model;
    uint32_t features; /* meter_features() */
    uint32_t f_mhz;
    enum err fault;  /* last failure of the flash; ERR_OK: none */
    bool is_old;     /* the flash of the version before is being taken over */
    bool owes;       /* what clients are told is not in a snapshot yet */
    uint8_t tells;   /* credit of meter_tell.h, in the snapshot */
    uint8_t floors;  /* the same of least acceptable counters, not in it */
    bool tells_null; /* cells equal to those of the row before leave as null-data */
    struct meter_clock clock;
    int64_t snapshot_due_ns;      /* on the crystal's scale */
    uint64_t ns_rest, ns_rest_of; /* below a nanosecond: ns_rest / ns_rest_of */
    uint64_t u_lsb_fv, i_lsb_fa;  /* of the front end */
    struct meter_demand demand;
    struct meter_ratio ratio;
    struct meter_outage outage;
    struct meter_log log;
    struct meter_profile profile[MODEL_N_PROFILES];
    struct nv_ring_layout rings[METER_RINGS_MAX];
    uint32_t interval[METER_N_INTERVALS]; /* of load profile 1's newest row */
    struct meter_average average[METER_N_AVERAGES];
    struct nv nv;
    uint32_t stored_floor[COSEM_CLIENTS_MAX];
    char serial[METER_SERIAL_LEN + 1];
    char device_name[17];
    char password[METER_PASSWORD_MAX + 1];
    struct cosem_device device;
    const struct cosem_device *devices[1];
    struct cosem_client_entry clients[MODEL_N_CLIENTS];
    struct dlms_counter_store counters;
    struct cosem_server server; /* hand it to session_init() */
    struct legal legal;
    struct meter_watch watch;
    struct legal_energies told;                     /* meter_tell.h */
    struct meter_column columns[METER_COLUMNS_MAX]; /* of all profiles, meter_columns_first() */
};

static inline const struct model_meter *meter_model(const struct meter *m)
{
    return model_row(m->model);
}
/* MODEL_* this meter has. */
static inline uint32_t meter_features(const struct meter *m)
{
    return MODEL_ONLY ? meter_model(m)->features : m->features;
}
/* How many of m->average are kept: all, or none by the model. No function: what an image's model
 * has not shall drop out of it. */
#define METER_AVERAGES_OF(m)                                                                       \
    ((meter_model(m)->features & MODEL_AVERAGES) != 0 ? METER_N_AVERAGES : 0u)

/* Power-up. Brings back what the flash holds, closes the interval that the power cut fell into and
 * goes on. The clock goes on from time_ns; a crystal that was lost, or that is behind the newest
 * snapshot: then from there, marked invalid until it is set (docs/TIME.md). ERR_RANGE (config),
 * ERR_STATE (the flash is of another model), ERR_VERSION, ERR_CORRUPT, ERR_FULL, ERR_IO. */
MUST_CHECK enum err meter_init(struct meter *m, const struct meter_config *config);
/* The struct's life ends, or another meter_init() follows a power cut: wipes the keys and, on
 * hosts, releases what the cipher holds. Nothing is stored. Its sessions are closed. */
void meter_end(struct meter *m);
/* Samples, and the time they last. ERR_RANGE as legal_feed: nothing was counted then. */
MUST_CHECK enum err meter_samples(struct meter *m, const struct afe_block *block);
#if LEGAL_WINDOW_ENTRANCE
/* A window of a load model and its time, counted whole into the interval it ends in: a caller that
 * wants exact intervals ends windows at meter_due_ns(). */
MUST_CHECK enum err meter_window(struct meter *m, const struct legal_window *w);
#endif
/* Time passes without samples. */
void meter_idle(struct meter *m, uint64_t ns);
/* Nanoseconds to the next end of an interval, demand period or snapshot; at least 1. */
uint64_t meter_due_ns(const struct meter *m);
/* The supply is about to fail: counts what was fed and stores it. ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_power_fail(struct meter *m);
/* Makes durable what clients were told (meter_tell.h). ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_sync(struct meter *m);

/* What the crystal shows: the scale of meter_config.time_ns. A port whose crystal was lost sets it
 * to this after meter_init(). */
int64_t meter_crystal_ns(const struct meter *m);

/* For the bindings and the panel. */
uint32_t meter_now_s(const struct meter *m);
/* Status octet (METER_ROW_*) a row of profile p with this stamp would get now. */
uint8_t meter_row_status(const struct meter *m, enum model_profile_id p, uint32_t stamp_s);
/* New length of the demand period. ERR_RANGE. */
MUST_CHECK enum err meter_demand_period(struct meter *m, uint32_t period_s);
/* Class 5 methods 1 and 2, class 4 method 1. */
MUST_CHECK enum err meter_demand_reset_all(struct meter *m);
MUST_CHECK enum err meter_demand_next(struct meter *m);
MUST_CHECK enum err meter_demand_forget_max(struct meter *m);
/* Changes a legal parameter for a client (METER_SAP_FACTORY: at the panel). Refused or done, the
 * attempt is in the audit trail before this returns. Errors of legal_parameter_set(); ERR_IO,
 * ERR_FULL: nothing is changed when the trail could not take it; what it took is in force. */
MUST_CHECK enum err meter_parameter_set(struct meter *m, uint16_t client_sap,
                                        enum legal_parameter id, unsigned index, int64_t value);
/* The same of a transformer ratio, METER_CT_NUM ... ERR_RANGE: meter_ratio_valid(). */
MUST_CHECK enum err meter_ratio_set(struct meter *m, uint16_t client_sap, unsigned part,
                                    uint32_t value);
/* The same of a limit of the supervision: enum pq_kind, METER_LIMIT_ON .. ERR_RANGE as
 * pq_limit_set(). */
MUST_CHECK enum err meter_limit_set(struct meter *m, uint16_t client_sap, unsigned kind,
                                    unsigned which, uint32_t value);
/* Opens or closes the seal: whoever holds the housing. ERR_IO, ERR_FULL as meter_parameter_set. */
MUST_CHECK enum err meter_seal_set(struct meter *m, bool sealed);
/* The rate that counts from now on, 0..n_rates-1; kept over a cut. ERR_RANGE, ERR_IO, ERR_FULL:
 * the one before stays. */
MUST_CHECK enum err meter_rate_set(struct meter *m, uint8_t rate);
uint8_t meter_rate(const struct meter *m);
/* Audit trail: how many records are held, METER_AUDIT_KEPT at most; they end at sequence number
 * `newest`. ERR_NOT_FOUND, ERR_CORRUPT. */
uint32_t meter_audit_count(const struct meter *m);
uint64_t meter_audit_newest(const struct meter *m);
MUST_CHECK enum err meter_audit_read(const struct meter *m, uint64_t seq, struct meter_audit *out);
/* Temperature of the front end and of the crystal, millidegree Celsius. */
void meter_temperature(struct meter *m, int32_t mc);
/* Writes everything that changes by itself as one record. */
MUST_CHECK enum err meter_snapshot(struct meter *m);

#endif
