/* Legal parameters and transformer ratios: how they change, and how they come back.
 *
 *     try -> audit record in the ring (durable) -> values under a key -> acknowledged
 *
 * The value under the key says up to which audit record it is; what the ring has beyond that is
 * applied again at the start. Stored are only values that differ from the model's, so that a front
 * end of another lsb (another source of a virtual meter) is not overruled. Refused attempts are
 * recorded, too. */
#include "firmware/meter/meter_store.h"

#include <string.h>

#define PARAMETER_FORMAT 1
#define ZIGZAG_BITS      7
#define OUT_OF_RANGE     2 /* legal_audit.reason */

/* ---- values ---- */

static void put_value(struct wr *w, int64_t value)
{
    uint64_t zigzag = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    while (zigzag >> ZIGZAG_BITS != 0) {
        wr_u8(w, (uint8_t)(zigzag | 1u << ZIGZAG_BITS));
        zigzag >>= ZIGZAG_BITS;
    }
    wr_u8(w, (uint8_t)zigzag);
}

static int64_t get_value(struct rd *r)
{
    uint64_t zigzag = 0;
    uint8_t octet = 0x80;
    for (unsigned shift = 0; shift < 64 && octet >> ZIGZAG_BITS != 0; shift += ZIGZAG_BITS) {
        octet = rd_u8(r);
        zigzag |= (uint64_t)(octet & 0x7F) << shift;
    }
    return (int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1)));
}

static void put_values(struct wr *w, const struct meter *m)
{
    struct legal_config c;
    meter_legal_config(m->model, m->u_lsb_fv, m->i_lsb_fa, &c);
    for (unsigned id = 0; id < LEGAL_N_PARAMETERS; id++) {
        for (unsigned k = 0; k < legal_parameter_count((enum legal_parameter)id); k++) {
            int64_t value;
            if (legal_parameter_get(&m->legal, (enum legal_parameter)id, k, &value) != ERR_OK ||
                value == legal_parameter_of(&c, (enum legal_parameter)id, k))
                continue;
            wr_u8(w, (uint8_t)id);
            wr_u8(w, (uint8_t)k);
            put_value(w, value);
        }
    }
}

/* Values go in one by one, and each must agree with those that are there already, so in passes. A
 * phase's lsb may contradict the neutral's that comes after it: it is tried again. A transformer
 * table is valid only when its points are there: their number comes last. */
enum pass { FIRST, AGAIN, NUMBERS, N_PASSES };

static enum err get_values(struct rd *r, struct meter *m, enum pass pass)
{
    while (rd_left(r) > 0) {
        enum legal_parameter id = (enum legal_parameter)rd_u8(r);
        unsigned index = rd_u8(r);
        int64_t value = get_value(r);
        if (r->err || (id == LEGAL_PARAMETER_N_CT) != (pass == NUMBERS))
            continue;
        enum err err = legal_parameter_set(&m->legal, id, index, value, NULL);
        if (err && !(err == ERR_STATE && pass == FIRST))
            return ERR_CORRUPT;
    }
    return r->err ? ERR_CORRUPT : ERR_OK;
}

/* ---- under the key ---- */

/* As after a change of this kind: only two of them move the seal. */
static void seal_at(struct meter *m, uint32_t sequence, enum legal_change change)
{
    struct legal_snapshot s;
    legal_snapshot_get(&m->legal, &s);
    s.audit_sequence = sequence;
    if (change == LEGAL_CHANGE_SEALED || change == LEGAL_CHANGE_OPENED)
        s.sealed = change == LEGAL_CHANGE_SEALED;
    /* nothing was counted yet, and the registers are those it has */
    if (legal_snapshot_set(&m->legal, &s) != ERR_OK)
        m->fault = ERR_STATE;
}

enum err meter_store_parameters(struct meter *m)
{
    uint8_t buf[NV_VALUE_MAX];
    struct legal_snapshot s;
    struct wr w = wr_of(buf, sizeof buf);
    legal_snapshot_get(&m->legal, &s);
    wr_u8(&w, PARAMETER_FORMAT);
    wr_u64(&w, nv_newest(&m->nv, METER_RING_AUDIT));
    wr_u32(&w, s.audit_sequence);
    wr_u8(&w, s.sealed);
    for (unsigned i = 0; i < METER_N_RATIOS; i++)
        wr_u32(&w, m->ratio.part[i]);
    put_values(&w, m);
    return meter_store_put(m, METER_KEY_PARAMETERS, &w);
}

/* Applies what is under the key; *upto: the last audit record in it, a number of 32 bits as the
 * store's are. */
static enum err load_values(struct meter *m, struct rd *r, uint32_t *upto)
{
    if (rd_u8(r) != PARAMETER_FORMAT)
        return ERR_VERSION;
    *upto = (uint32_t)rd_u64(r);
    uint32_t sequence = rd_u32(r);
    bool sealed = rd_u8(r) != 0;
    for (unsigned i = 0; i < METER_N_RATIOS; i++)
        m->ratio.part[i] = rd_u32(r);
    if (r->err || !meter_ratio_valid(&m->ratio))
        return ERR_CORRUPT;
    enum err err = ERR_OK;
    const size_t start = r->pos;
    for (unsigned pass = FIRST; pass < N_PASSES && !err; pass++) {
        r->pos = start;
        err = get_values(r, m, (enum pass)pass);
    }
    if (!err)
        seal_at(m, sequence, sealed ? LEGAL_CHANGE_SEALED : LEGAL_CHANGE_OPENED);
    return err;
}

/* The same change once more; it went through before. */
static enum err redo(struct meter *m, const struct legal_audit *a)
{
    const bool done = a->change == LEGAL_CHANGE_DONE;
    if (done && a->parameter >= METER_AUDIT_RATIO) {
        m->ratio.part[(a->parameter - METER_AUDIT_RATIO) % METER_N_RATIOS] = (uint32_t)a->after;
    } else if (done && a->parameter >= METER_AUDIT_LIMIT) {
        meter_limits_redo(m, a);
        meter_crystal_redo(m, a);
    } else if (done) {
        enum err err = legal_parameter_set(&m->legal, (enum legal_parameter)a->parameter, a->index,
                                           a->after, NULL);
        if (err)
            return ERR_CORRUPT;
    }
    seal_at(m, a->sequence, (enum legal_change)a->change);
    return ERR_OK;
}

static enum err redo_from(struct meter *m, uint32_t upto)
{
    uint32_t newest = (uint32_t)nv_newest(&m->nv, METER_RING_AUDIT);
    uint32_t oldest = newest - nv_count(&m->nv, METER_RING_AUDIT) + 1;
    for (uint32_t seq = upto + 1 > oldest ? upto + 1 : oldest; seq <= newest; seq++) {
        struct meter_audit a;
        if (meter_audit_read(m, seq, &a) != ERR_OK)
            continue; /* damaged: counted by the store */
        enum err err = redo(m, &a.legal);
        if (err)
            return err;
    }
    if (newest <= upto)
        return ERR_OK;
    enum err err = meter_limits_store(m); /* first: the parameters say how far the trail counts */
    if (!err)
        err = meter_store_clock(m);
    return err ? err : meter_store_parameters(m);
}

/* The first start: calibration as the factory found it, then the seal. */
static enum err first_values(struct meter *m, const struct legal_calibration *calibration)
{
    struct legal_audit audit;
    struct legal_config c;
    if (calibration != NULL) {
        legal_config_get(&m->legal, &c);
        c.calibration = *calibration;
        enum err err = legal_config_set(&m->legal, &c);
        if (err)
            return err;
    }
    legal_seal(&m->legal, &audit);
    enum err err = meter_audit_append(m, METER_SAP_FACTORY, &audit);
    return err ? err : meter_store_parameters(m);
}

enum err meter_load_parameters(struct meter *m, const struct legal_calibration *calibration)
{
    uint8_t buf[NV_VALUE_MAX];
    struct rd r;
    uint32_t upto = 0;
    enum err err = meter_limits_load(m);
    if (err)
        return err;
    err = meter_store_get(m, METER_KEY_PARAMETERS, buf, sizeof buf, &r);
    /* The first snapshot follows them: a meter that has lived and has none has lost them. */
    if (err == ERR_NOT_FOUND)
        return m->is_old || nv_count(&m->nv, METER_RING_SNAPSHOT) > 0
                   ? ERR_CORRUPT
                   : first_values(m, calibration);
    if (!err)
        err = load_values(m, &r, &upto);
    return err ? err : redo_from(m, upto);
}

/* ---- audit trail ---- */

enum err meter_audit_append(struct meter *m, uint16_t client_sap, const struct legal_audit *audit)
{
    uint8_t octets[METER_AUDIT_SIZE];
    struct meter_audit a = {.utc_s = meter_now_s(m), .client_sap = client_sap, .legal = *audit};
    a.clock_status = meter_clock_stamp(&m->clock, a.utc_s, &a.deviation);
    meter_audit_encode(&a, octets);
    return nv_append(&m->nv, METER_RING_AUDIT, octets);
}

enum err meter_audit_other(struct meter *m, uint16_t client_sap, struct legal_audit *change)
{
    struct legal_snapshot s;
    legal_snapshot_get(&m->legal, &s);
    change->sequence = s.audit_sequence;
    change->reason = change->change == LEGAL_CHANGE_REFUSED ? OUT_OF_RANGE : 0;
    return meter_audit_append(m, client_sap, change);
}

uint32_t meter_audit_count(const struct meter *m)
{
    uint32_t n = nv_count(&m->nv, METER_RING_AUDIT);
    return n < METER_AUDIT_KEPT ? n : METER_AUDIT_KEPT;
}

uint64_t meter_audit_newest(const struct meter *m)
{
    return nv_newest(&m->nv, METER_RING_AUDIT);
}

enum err meter_audit_read(const struct meter *m, uint64_t seq, struct meter_audit *out)
{
    uint8_t octets[METER_AUDIT_SIZE];
    enum err err = nv_read(&m->nv, METER_RING_AUDIT, seq, octets);
    if (!err)
        meter_audit_decode(octets, out);
    return err;
}

/* ---- changes ----
 *
 * A change that the trail holds and that the key could not take is in force and will be after a
 * restart, too: the caller is told the failure of the store. */

static enum err put_in_force(struct meter *m, enum model_event e)
{
    meter_event(m, e, meter_now_s(m));
    return meter_keep(m, meter_store_parameters(m));
}

enum err meter_parameter_set(struct meter *m, uint16_t client_sap, enum legal_parameter id,
                             unsigned index, int64_t value)
{
    struct legal_audit audit;
    enum err refused = legal_parameter_set(&m->legal, id, index, value, &audit);
    enum err err = meter_keep(m, meter_audit_append(m, client_sap, &audit));
    if (err && !refused) /* no trail, no change */
        return legal_parameter_set(&m->legal, id, index, audit.before, NULL) ? ERR_STATE : err;
    if (refused || err)
        return refused ? refused : err;
    return put_in_force(m, MODEL_EVENT_PARAMETER_CHANGED);
}

enum err meter_ratio_set(struct meter *m, uint16_t client_sap, unsigned part, uint32_t value)
{
    struct meter_ratio changed = m->ratio;
    if (part >= METER_N_RATIOS)
        return ERR_RANGE;
    changed.part[part] = value;
    bool valid = meter_ratio_valid(&changed);
    struct legal_audit audit = {.change = valid ? LEGAL_CHANGE_DONE : LEGAL_CHANGE_REFUSED,
                                .parameter = (uint8_t)(METER_AUDIT_RATIO + part),
                                .before = m->ratio.part[part],
                                .after = value};
    enum err err = meter_keep(m, meter_audit_other(m, client_sap, &audit));
    if (err || !valid)
        return err ? err : ERR_RANGE;
    m->ratio = changed;
    return put_in_force(m, MODEL_EVENT_PARAMETER_CHANGED);
}

static void put_seal(struct meter *m, bool sealed, struct legal_audit *audit)
{
    if (sealed)
        legal_seal(&m->legal, audit);
    else
        legal_unseal(&m->legal, audit);
}

enum err meter_seal_set(struct meter *m, bool sealed)
{
    struct legal_audit audit;
    struct legal_status before;
    legal_status_get(&m->legal, &before);
    put_seal(m, sealed, &audit);
    enum err err = meter_keep(m, meter_audit_append(m, METER_SAP_FACTORY, &audit));
    if (!err)
        return put_in_force(m, sealed ? MODEL_EVENT_SEAL_CLOSED : MODEL_EVENT_SEAL_OPENED);
    put_seal(m, before.sealed, NULL); /* no trail, no change */
    return err;
}
