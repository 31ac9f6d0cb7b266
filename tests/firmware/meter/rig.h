/* A meter on a flash that tests can cut, a load, and a client in the same process. */
#ifndef FERRARIS_TEST_METER_RIG_H
#define FERRARIS_TEST_METER_RIG_H

#include "firmware/meter/meter.h"
#include "lib/cosem/client.h"
#include "lib/cosem/session.h"
#include "sim/source.h"
#include "tests/powerfail/flash_emu.h"

#define RIG_ANSWER_MAX 400000

struct rig {
    struct flash_emu emu;
    struct hal_rng rng;
    uint64_t random;
    struct meter_config config;
    struct meter meter;
    struct source *source;
    struct dlms_counter counter; /* of the client: lives as long as the rig */
    struct cosem_client client;
    struct cosem_session session;
    uint64_t line_octets; /* both ways */
    /* Listens on the line, and may change what it hears; NULL: nobody. */
    void (*tap)(struct rig *r, bool from_client, uint8_t *octets, size_t n);
    uint8_t security;               /* of the HLS clients; rig_new(): authenticated, encrypted */
    uint16_t max_pdu;               /* the client takes at most; 0: as many as it can */
    uint8_t answer[RIG_ANSWER_MAX]; /* of the last get, as far as it fits */
    size_t answer_len;
    size_t answer_total;      /* octets, those that did not fit included */
    uint32_t answer_sum;      /* CRC-32 of them all */
    enum cosem_result result; /* of the last operation */
};

/* A meter of this model that starts at `start` ("2026-03-28T00:00:00" UTC) with a synth load, keys
 * and password. Allocated; rig_free() asserts that the flash rules were kept. */
struct rig *rig_new(const char *model, const char *start, const char *load);
/* The same of a row of the test's own (smaller rings ...), which outlives the rig. */
struct rig *rig_new_row(const struct model_meter *row, const char *start, const char *load);
void rig_free(struct rig *r);
/* After a start: the least acceptable counters are at most METER_FLOOR_AHEAD beyond those `before`
 * it or the client's own number, which is none that is spent then (meter_tell.h). */
void rig_follow_counter(struct rig *r, const uint32_t before[MODEL_N_CLIENTS]);
/* Power-up at the crystal's present time plus gap_s, and that. */
enum err rig_power_up(struct rig *r, int64_t gap_s);
/* Lives at window level, windows ending with intervals. */
void rig_live(struct rig *r, int64_t seconds);
int64_t rig_time(const char *utc);

/* Associates as one of the meter's clients, calls, releases. False: refused. */
bool rig_connect(struct rig *r, uint16_t sap);
bool rig_get(struct rig *r, const struct apdu_attr *attr); /* value in r->answer */
bool rig_set(struct rig *r, const struct apdu_attr *attr, struct bytes value);
bool rig_call(struct rig *r, const struct apdu_attr *method);
void rig_release(struct rig *r);
struct apdu_attr rig_attr(uint16_t class_id, const char *obis, uint8_t id);
/* Connects as the LLS reader, reads an integer value, releases. */
int64_t rig_value(struct rig *r, uint16_t class_id, const char *obis, uint8_t id);

/* A row of load profile 1 with its columns as delivered; 0 where the meter lacks one. */
#define METER_ROW_REGISTERS 4 /* A+ A- R+ R- */
#define METER_ROW_INTERVALS METER_N_INTERVALS
struct meter_row {
    uint32_t number, utc_s;
    int16_t deviation;
    uint8_t clock_status, status;
    uint64_t reg[METER_ROW_REGISTERS]; /* register units */
    uint32_t interval[METER_ROW_INTERVALS];
};
enum meter_column_lp1 {
    METER_COLUMN_CLOCK,
    METER_COLUMN_STATUS,
    METER_COLUMN_A_IMPORT,
    METER_COLUMN_A_EXPORT,
    METER_COLUMN_R_IMPORT,
    METER_COLUMN_R_EXPORT,
    METER_COLUMN_A_IMPORT_INTERVAL,
    METER_COLUMN_A_EXPORT_INTERVAL,
    METER_N_COLUMNS
};
/* Which of them this meter has, a bit each. */
uint32_t rig_columns(const struct rig *r);
/* Rows of load profile 1 in its ring, oldest first; gives their number. */
size_t rig_rows(const struct rig *r, struct meter_row *rows, size_t max);
/* The same of any profile, heads only. */
size_t rig_heads(const struct rig *r, enum model_profile_id p, struct meter_row_head *heads,
                 size_t max);
/* Asserts that numbers and interval energies of the rows join without a gap, and that the last
 * row's registers are not above the meter's. */
void rig_check_rows(const struct rig *r);

#endif
