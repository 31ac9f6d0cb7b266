/* Wiring: the UART's octets to the line, the line's octets to the UART, time to both. See
 * small_meter.h. */
#include "firmware/images/dlms_small/small_meter.h"
#include "firmware/images/report.h"
#include "firmware/images/serial.h"

#include "firmware/ports/mps2/clock.h"
#include "firmware/ports/mps2/keys.h"
#include "firmware/ports/mps2/rng.h"
#include "firmware/ports/mps2/uart.h"

#include <string.h>

#define BAUD          9600
#define INACTIVITY_MS 120000
#define INTER_MS      1000 /* a simulator's octets come when its host has time */
#define STATION       17
#define START_UTC_MS  INT64_C(1767225600000) /* 2026-01-01 */

static const struct cosem_client_entry clients[] = {
    {.sap = 16, .role = COSEM_PUBLIC, .mechanism = COSEM_AUTH_NONE},
    {.sap = 1,
     .role = COSEM_MANAGER,
     .mechanism = COSEM_AUTH_HLS5,
     .security = DLMS_SC_AUTH | DLMS_SC_ENC},
};
static const struct cosem_device *const devices[] = {&small_device};

static struct mps2_simulated_rng rng;
static struct cosem_server server;
static struct cosem_session session;
static struct hdlc link;
static struct cosem_line line;
static uint8_t link_buffer[COSEM_PDU_MAX + HDLC_HEAD_MAX + 5];

static void load_keys(void)
{
    const struct mps2_keys *k = &port_keys;
    if (memcmp(k->mark, MPS2_KEYS_MARK, sizeof k->mark) != 0)
        return; /* nobody gets in */
    memcpy(server.keys.guek, k->guek, sizeof k->guek);
    memcpy(server.keys.gak, k->gak, sizeof k->gak);
    memcpy(server.keys.kek, k->kek, sizeof k->kek);
    server.keys.has_guek = server.keys.has_gak = server.keys.has_kek = true;
}

static enum err begin(void)
{
    mps2_clock_init();
    mps2_uart_init(BAUD);
    mps2_simulated_rng_init(&rng, port_keys.seed);
    server.config = (struct cosem_server_config){.devices = devices,
                                                 .n_devices = 1,
                                                 .clients = clients,
                                                 .n_clients = 2,
                                                 .rng = &rng.hal,
                                                 .inactivity_ms = INACTIVITY_MS};
    memcpy(server.config.title, port_keys.title, DLMS_TITLE_LEN);
    load_keys();
    session_init(&session, &server);
    small_meter.base_ms = START_UTC_MS;
    small_meter.link = &link;
    const struct hdlc_config config = {
        .is_server = true,
        .parameters = {.max_info_tx = 128, .max_info_rx = 128, .window_tx = 1, .window_rx = 1},
        .inactivity_ms = INACTIVITY_MS,
        .inter_octet_ms = INTER_MS,
        .physical = STATION};
    enum err err = hdlc_server_init(&link, &config, link_buffer, sizeof link_buffer);
    line_init(&line, &link.link, &session);
    return err;
}

/* One turn: what time brings, and the line. */
static void turn(uint64_t now_ms)
{
    small_meter.now_ms = now_ms;
    if (small_meter.period_s != 0 && now_ms >= small_meter.next_ms) {
        small_capture(&small_meter);
        small_meter.next_ms += (uint64_t)small_meter.period_s * 1000;
    }
    image_serve(&line, now_ms);
}

int main(void)
{
    bool was_open = false;
    if (begin())
        return 1;
    for (;;) {
        turn(mps2_clock_ms());
        bool open = dlms_link_state(&link.link) == LINK_OPEN;
        if (was_open && !open)
            image_report("closed");
        was_open = open;
        mps2_uart_wait();
    }
}
