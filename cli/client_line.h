/* The line to a meter, for the client verbs: from an address to octets, whatever carries them.
 *
 * Set up, dial, then move octets between the client engine and the line. Writing waits for the
 * time-out at most without progress; reading waits as long as it is told. */
#ifndef FERRARIS_CLI_CLIENT_LINE_H
#define FERRARIS_CLI_CLIENT_LINE_H

#include "cli/line_url.h"
#include "lib/cosem/client.h"
#include "lib/dlms/hdlc.h"
#include "lib/dlms/mode_e.h"
#include "lib/dlms/wrapper_link.h"

#include <sys/types.h>

#define CLIENT_LINE_BUFFER 4096

struct client_line_options {
    uint16_t client, server; /* SAPs */
    uint16_t physical;       /* HDLC: lower address of the meter, 0: none, one octet of address */
    uint32_t timeout_ms;     /* to connect, and for an answer */
};

struct client_line {
    struct line_url url;
    char name[LINE_URL_NAME]; /* for messages */
    char error[512];          /* after a failure */
    int fd;                   /* -1: none */
    struct dlms_link *link;   /* what the client engine is to use; NULL: its own */
    bool stuck;               /* the far side took nothing for the time-out: the line is given up */
    /* private */
    uint32_t timeout_ms;
    union {
        struct wrapper_link wrapper;
        struct hdlc hdlc;
    } base;
    struct mode_e sign_on;
    struct mode_e_speed speed; /* of the tty, while signing on */
    struct gateway_link gateway;
    uint8_t in[COSEM_CLIENT_PDU_MAX + GATEWAY_HEAD_MAX + 64];  /* of the link */
    uint8_t out[COSEM_CLIENT_PDU_MAX + GATEWAY_HEAD_MAX + 64]; /* of the gateway's */
};

/* NULL, or what is wrong with the address. The line is not open yet. */
const char *client_line_init(struct client_line *l, const char *url);
/* Makes the links for these ends, and opens the line. ERR_RANGE (addresses HDLC cannot have),
 * ERR_IO (cannot reach it), or what serial_open() says; `error` tells. */
MUST_CHECK enum err client_line_dial(struct client_line *l, const struct client_line_options *o);
/* Sends what the client has for the line. False: the line is gone, or stuck. */
bool client_line_write(struct client_line *l, struct cosem_client *c);
/* Waits for octets, at most until deadline_ms, and feeds them to the client. False: the line is
 * gone. */
bool client_line_read(struct client_line *l, struct cosem_client *c, uint64_t deadline_ms);
void client_line_close(struct client_line *l);

/* The clock of all this, milliseconds. */
uint64_t client_line_now(void);

#endif
