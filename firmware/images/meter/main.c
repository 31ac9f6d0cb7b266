/* Wiring: samples to the meter, the UART's octets to the line, the line's to the UART, time to all.
 * See image.h. */
#include "firmware/images/meter/image.h"
#include "firmware/images/report.h"
#include "firmware/images/serial.h"
#include "firmware/meter/meter.h"
#include "firmware/ports/mps2/clock.h"
#include "firmware/ports/mps2/flash.h"
#include "firmware/ports/mps2/keys.h"
#include "firmware/ports/mps2/rng.h"
#include "firmware/ports/mps2/supply.h"
#include "firmware/ports/mps2/uart.h"
#include "lib/cosem/line.h"
#include "lib/dlms/hdlc.h"

#include <string.h>

#define BAUD          9600
#define INACTIVITY_MS 120000
#define INTER_MS      1000 /* a simulator's octets come when its host has time */
#define STATION       17
#define START_UTC_NS  (INT64_C(1767225600) * METER_NS) /* 2026-01-01 */
#define BLOCK_MS      (1000 * WAVE_BLOCK / WAVE_RATE_HZ)

/* The row, a symbol of model/meters.c: the linker drops the others. */
extern const struct model_meter IMAGE_MODEL;
const struct model_meter *const model_only = &IMAGE_MODEL;
const struct legal_one legal_one = {
    .n_phases = &IMAGE_MODEL.n_phases,
    .is_3wire = &IMAGE_MODEL.is_3wire,
    .features = &IMAGE_MODEL.features,
    .feature = {[LEGAL_NEUTRAL] = MODEL_NEUTRAL,
                [LEGAL_HARMONICS] = MODEL_THD,
                [LEGAL_APPARENT] = MODEL_APPARENT,
                [LEGAL_LOSSES] = MODEL_LOSSES},
};

static struct mps2_simulated_rng rng;
static struct hal_flash flash;
static struct wave wave;
static struct meter meter;
static struct cosem_session session;
static struct hdlc link;
static struct cosem_line line;
static uint8_t link_buffer[COSEM_PDU_MAX + HDLC_HEAD_MAX + 5];
static uint64_t sampled_ms; /* samples were fed up to here */

/* Channels that the front end of the model has. */
static uint32_t channels(const struct model_meter *m)
{
    uint32_t three = m->is_3wire ? 0x5u : 0x7u, phases = m->n_phases == 1 ? 0x1u : three;
    bool neutral = (m->features & MODEL_NEUTRAL) != 0;
    return phases << AFE_U1 | phases << AFE_I1 | (neutral ? 1u << AFE_IN : 0);
}

/* Un and the reference current at the wave's amplitudes: peak of a sine, so rms times sqrt 2. */
static void set_front_end(struct meter_config *c)
{
    c->u_lsb_fv = (uint64_t)c->model->un_mv * 1414214u * 1000000u / WAVE_U_COUNTS;
    c->i_lsb_fa = (uint64_t)c->model->in_ma * 1414214u * 1000000u / WAVE_I_COUNTS;
}

static void load_keys(struct meter_config *c)
{
    const struct mps2_keys *k = &port_keys;
    if (memcmp(k->mark, MPS2_KEYS_MARK, sizeof k->mark) != 0)
        return; /* nobody gets in */
    memcpy(c->keys.guek, k->guek, sizeof k->guek);
    memcpy(c->keys.gak, k->gak, sizeof k->gak);
    memcpy(c->keys.kek, k->kek, sizeof k->kek);
    c->keys.has_guek = c->keys.has_gak = c->keys.has_kek = true;
}

static enum err begin_meter(void)
{
    struct meter_config config = {.model = &IMAGE_MODEL,
                                  .serial = "0000000001",
                                  .flash = &flash,
                                  .rng = &rng.hal,
                                  .time_ns = START_UTC_NS,
                                  .inactivity_ms = INACTIVITY_MS};
    set_front_end(&config);
    load_keys(&config);
    enum err err = meter_init(&meter, &config);
    wipe(&config.keys, sizeof config.keys);
    return err;
}

static enum err begin_line(void)
{
    const struct hdlc_config config = {
        .is_server = true,
        .parameters = {.max_info_tx = 128, .max_info_rx = 128, .window_tx = 1, .window_rx = 1},
        .inactivity_ms = INACTIVITY_MS,
        .inter_octet_ms = INTER_MS,
        .physical = STATION};
    session_init(&session, &meter.server);
    enum err err = hdlc_server_init(&link, &config, link_buffer, sizeof link_buffer);
    line_init(&line, &link.link, &session);
    return err;
}

static enum err begin(void)
{
    mps2_clock_init();
    mps2_uart_init(BAUD);
    mps2_supply_init();
    mps2_simulated_rng_init(&rng, port_keys.seed);
    wave_init(&wave, IMAGE_MODEL.f_mhz, channels(&IMAGE_MODEL));
    enum err err = mps2_flash_init(&flash, METER_SECTOR_SIZE, meter_n_sectors(&IMAGE_MODEL));
    if (!err)
        err = begin_meter();
    return err ? err : begin_line();
}

/* What a converter would have collected since the last turn. False: a block was refused. */
static bool sample(uint64_t now_ms)
{
    for (; sampled_ms + BLOCK_MS <= now_ms; sampled_ms += BLOCK_MS) {
        if (meter_samples(&meter, wave_next(&wave)))
            return false;
    }
    return true;
}

/* One turn: what was sampled, and the line. */
static bool turn(uint64_t now_ms)
{
    const bool good = sample(now_ms);
    image_serve(&line, now_ms);
    return good;
}

/* The supply is about to fail, or is cut: what is left of the charge goes into the snapshot. */
static void supply_lost(enum mps2_supply how)
{
    if (how == MPS2_SUPPLY_FAILS && meter_power_fail(&meter) != ERR_OK)
        image_report("power fail refused");
    image_report("off");
    mps2_supply_reset();
}

int main(void)
{
    bool was_open = false;
    enum err err = begin();
    image_report(err ? "not begun" : "begun");
    while (!err && turn(mps2_clock_ms())) {
        bool open = dlms_link_state(&link.link) == LINK_OPEN;
        enum mps2_supply supply = mps2_supply();
        if (was_open && !open)
            image_report("closed");
        if (supply != MPS2_SUPPLY_GOOD)
            supply_lost(supply);
        was_open = open;
        mps2_uart_wait();
    }
    return 1;
}
