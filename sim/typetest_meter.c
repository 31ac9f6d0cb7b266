/* See typetest_meter.h. */
#include "sim/typetest_meter.h"

#include "lib/cosem/obis.h"
#include "lib/dlms/axdr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "type-test"
#define START_NS (INT64_C(1767225600) * METER_NS) /* 2026-01-01 */

/* --- flash in memory ------------------------------------------------------------------------ */

static bool inside(const struct hal_flash *f, uint32_t addr, size_t n)
{
    uint64_t size = (uint64_t)f->sector_size * f->n_sectors;
    return n <= size && addr <= size - n;
}

static enum err flash_read(const struct hal_flash *f, uint32_t addr, void *to, size_t n)
{
    if (!inside(f, addr, n))
        return ERR_RANGE;
    memcpy(to, (const uint8_t *)f->context + addr, n);
    return ERR_OK;
}

static enum err flash_program(const struct hal_flash *f, uint32_t addr, const void *from, size_t n)
{
    if (!inside(f, addr, n))
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)f->context)[addr + i] &= ((const uint8_t *)from)[i];
    return ERR_OK;
}

static enum err flash_erase(const struct hal_flash *f, uint32_t sector)
{
    if (sector >= f->n_sectors)
        return ERR_RANGE;
    memset((uint8_t *)f->context + (size_t)sector * f->sector_size, 0xFF, f->sector_size);
    return ERR_OK;
}

/* No secret is at stake on a bench: a sequence that is the same in each run. */
static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    struct typetest_meter *t = r->context;
    for (size_t i = 0; i < n; i++) {
        t->random = t->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        ((uint8_t *)to)[i] = (uint8_t)(t->random >> 56);
    }
    return ERR_OK;
}

uint32_t typetest_sensitive_ua(const struct model_meter *m)
{
    return m->imax_ma / 20;
}

enum err typetest_meter_init(struct typetest_meter *t, const struct model_meter *m,
                             uint64_t u_lsb_fv, uint64_t i_lsb_fa)
{
    memset(t, 0, sizeof *t);
    t->flash = (struct hal_flash){.sector_size = METER_SECTOR_SIZE,
                                  .n_sectors = meter_n_sectors(m),
                                  .read = flash_read,
                                  .program = flash_program,
                                  .erase = flash_erase};
    t->octets = malloc((size_t)t->flash.sector_size * t->flash.n_sectors);
    t->flash.context = t->octets;
    t->model = m;
    t->sensitive = *m;
    t->sensitive.ist_ua = typetest_sensitive_ua(m);
    t->sensitive.ist_reactive_ua = 0;
    t->rng = (struct hal_rng){.context = t, .fill = fill};
    t->config = (struct meter_config){.model = m,
                                      .serial = "0123456789",
                                      .flash = &t->flash,
                                      .rng = &t->rng,
                                      .password = PASSWORD,
                                      .time_ns = START_NS,
                                      .u_lsb_fv = u_lsb_fv,
                                      .i_lsb_fa = i_lsb_fa,
                                      .f_mhz = m->f_mhz};
    return t->octets ? ERR_OK : ERR_MEMORY;
}

static void stop(struct typetest_meter *t)
{
    if (!t->lives)
        return;
    session_close(&t->session);
    cosem_client_end(&t->client);
    meter_end(&t->meter);
    t->lives = false;
}

void typetest_meter_end(struct typetest_meter *t)
{
    stop(t);
    free(t->octets);
    t->octets = NULL;
}

/* --- the client ----------------------------------------------------------------------------- */

/* Moves octets until neither side has any. False: one takes no more. */
static bool pump(struct typetest_meter *t)
{
    uint8_t buf[2048];
    size_t n, moved;
    do {
        moved = 0;
        while ((n = cosem_client_take(&t->client, buf, sizeof buf)) > 0) {
            if (session_feed(&t->session, buf, n) != n)
                return false;
            moved += n;
        }
        while ((n = session_take(&t->session, buf, sizeof buf)) > 0) {
            if (cosem_client_feed(&t->client, 0, buf, n) != n)
                return false;
            moved += n;
        }
    } while (moved > 0);
    return true;
}

static enum err associate(struct typetest_meter *t)
{
    struct cosem_client_config c = {.client_sap = METER_SAP_READER,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_LLS,
                                    .password = PASSWORD,
                                    .title = "TYPTEST"};
    session_init(&t->session, &t->meter.server);
    enum err err = cosem_client_init(&t->client, &c);
    if (!err)
        err = cosem_client_connect(&t->client, 0);
    if (err)
        return err;
    return pump(t) && t->client.state == CLIENT_READY ? ERR_OK : ERR_REFUSED;
}

enum err typetest_meter_start(struct typetest_meter *t, const struct legal_calibration *c,
                              bool sensitive)
{
    stop(t);
    memset(t->octets, 0xFF, (size_t)t->flash.sector_size * t->flash.n_sectors);
    t->random = 1;
    t->config.calibration = c;
    t->config.model = sensitive ? &t->sensitive : t->model;
    enum err err = meter_init(&t->meter, &t->config);
    if (err)
        return err;
    t->lives = true;
    return associate(t);
}

static bool on_data(void *context, uint32_t index, struct bytes part)
{
    struct typetest_meter *t = context;
    (void)index;
    if (part.len > sizeof t->answer - t->answer_len)
        return false;
    memcpy(t->answer + t->answer_len, part.p, part.len);
    t->answer_len += part.len;
    return true;
}

static void on_done(void *context, uint32_t index, enum cosem_result result)
{
    (void)index;
    ((struct typetest_meter *)context)->result = result;
}

static enum err get(struct typetest_meter *t, uint16_t class_id, const char *name, uint8_t id)
{
    char obis[24];
    struct apdu_attr a = {.class_id = class_id, .id = id};
    struct cosem_client_sink sink = {.context = t, .data = on_data, .done = on_done};
    snprintf(obis, sizeof obis, "1-0:%s.255", name);
    t->answer_len = 0;
    t->result = COSEM_OTHER_REASON;
    enum err err = obis_parse(obis, a.ln);
    if (!err)
        err = cosem_client_get(&t->client, 0, &a, &sink);
    if (err)
        return err;
    bool done = pump(t) && t->client.state == CLIENT_READY && t->result == COSEM_SUCCESS;
    return done ? ERR_OK : ERR_NOT_FOUND;
}

enum err typetest_meter_read(struct typetest_meter *t, const char *name, double *value,
                             double *unit)
{
    enum err err = get(t, 3, name, 3); /* structure of scaler (integer) and unit (enum) */
    if (err)
        return err;
    if (t->answer_len != 6 || t->answer[0] != 2 || t->answer[1] != 2 || t->answer[2] != 15)
        return ERR_FORMAT;
    *unit = pow(10, (int8_t)t->answer[3]);
    err = get(t, 3, name, 2);
    if (err)
        return err;
    struct rd rd = rd_of(t->answer, t->answer_len);
    *value = (double)axdr_get_int(&rd) * *unit;
    return rd.err;
}

enum err typetest_meter_version(struct typetest_meter *t, char *out, size_t size)
{
    out[0] = '\0';
    enum err err = get(t, 1, "0.2.0", 2);
    if (err)
        return err;
    size_t n = t->answer_len < 2 ? 0 : t->answer_len - 2; /* tag, length */
    n = n < size ? n : size - 1;
    memcpy(out, t->answer + 2, n);
    out[n] = '\0';
    return ERR_OK;
}
