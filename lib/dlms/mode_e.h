/* The hand-over from IEC 62056-21 to HDLC, "mode E": how an optical head is opened that speaks 300
 * baud at first.
 *
 *     client  /?<device>!\r\n            300 baud, 7E1
 *     meter   /XXXZ\2<identification>\r\n       (Z: highest speed, \2: HDLC is there)
 *     client  06 '2' z '2' \r\n                 (z: the speed chosen)
 *     meter   06 '2' z '2' \r\n          speed z, still 7E1
 *     both    HDLC                       speed z, 8N1
 *
 * struct mode_e is a link around the HDLC link, for either side: it signs on, then passes
 * everything through; after the connection it is back at the start. The owner of the line asks
 * mode_e_speed() after every feed, take and poll, and when it differs: waits until the octets taken
 * are out, then sets the line. Nothing else is asked of the owner; parity is done here when the
 * UART cannot.
 *
 * It refuses: read-out in modes A to D, passwords, and devices that do not offer \2. */
#ifndef FERRARIS_DLMS_MODE_E_H
#define FERRARIS_DLMS_MODE_E_H

#include "lib/dlms/link.h"

#define MODE_E_DEVICE_MAX         32
#define MODE_E_IDENTIFICATION_MAX 19 /* three letters of the manufacturer, then up to 16 */

struct mode_e_config {
    bool is_server;
    bool software_parity; /* the line stays at 8N1: the parity bit is made and checked here */
    /* Both terminated, kept by the caller. */
    const char *device;         /* client: whom to ask, "" or NULL: whoever is there; server: own */
    const char *identification; /* server: such as "FERferraris 1" */
    uint32_t start_baud;        /* 0: 300 */
    uint32_t max_baud;          /* highest speed of this side, one of the table; 0: 9600 */
    uint16_t reaction_ms;       /* pause before anything is sent; 0: 200, as the standard asks */
    uint32_t idle_ms;           /* server: back to the start when no connection comes; 0: 120 000 */
    uint8_t retries;            /* client: sign-ons after the first; then LINK_FAILED */
};

struct mode_e {
    struct dlms_link link;
    struct mode_e_config config;
    struct dlms_link *hdlc;
    /* private; the facts are at the head of mode_e.c */
    const char *why;
    uint64_t timer_ms, hold_ms;
    uint32_t baud;
    uint8_t phase, tries, n, at;
    bool broken, echo, was_open;
    uint8_t text[4 + MODE_E_DEVICE_MAX + 4];
};

struct mode_e_speed {
    uint32_t baud;
    bool seven_even; /* 7E1; false: 8N1. Always false with software_parity */
};

/* hdlc: an initialised HDLC link of the same role, which is driven by this one from now on.
 * ERR_RANGE: a text too long or with characters that end a message, identification below three
 * characters, a speed that is not in the table. */
MUST_CHECK enum err mode_e_init(struct mode_e *m, const struct mode_e_config *config,
                                struct dlms_link *hdlc);
struct mode_e_speed mode_e_speed(const struct mode_e *m);

/* The letter of a speed, 300 '0' to 115200 '9'; 0: it has none. And back; 0: no such letter. */
char mode_e_letter(uint32_t baud);
uint32_t mode_e_baud(char letter);

#endif
