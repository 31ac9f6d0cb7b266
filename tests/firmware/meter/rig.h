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
    uint8_t answer[RIG_ANSWER_MAX]; /* of the last get */
    size_t answer_len;
    enum cosem_result result; /* of the last operation */
};

/* A meter of this model that starts at `start` ("2026-03-28T00:00:00" UTC) with a synth load, keys
 * and password. Allocated; rig_free() asserts that the flash rules were kept. */
struct rig *rig_new(const char *model, const char *start, const char *load);
/* The same of a row of the test's own (smaller rings ...), which outlives the rig. */
struct rig *rig_new_row(const struct model_meter *row, const char *start, const char *load);
void rig_free(struct rig *r);
/* Power-up at the crystal's present time plus gap_s. */
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

/* Rows of the ring, oldest first; gives their number. */
size_t rig_rows(const struct rig *r, struct meter_row *rows, size_t max);
/* Asserts that numbers and interval energies of the rows join without a gap, and that the last
 * row's registers are not above the meter's. */
void rig_check_rows(const struct rig *r);

#endif
