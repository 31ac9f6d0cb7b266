/* Signs on by IEC 62056-21 and hands the line over to HDLC; see mode_e.h.
 *
 *     client   IDLE --open--> ASK --taken--> WAIT --/XXXZ\2--> CHOOSE --taken--> CONFIRM
 *              CONFIRM --06 2 z 2, or silence--> HDLC
 *              WAIT --silence--> ASK, after all tries BROKEN; --anything but \2--> BROKEN
 *     server   IDLE --/?!--> IDENTIFY --taken--> WAIT --06 2 z 2--> CHOOSE --taken--> HDLC
 *              WAIT --silence, another choice--> IDLE
 *     both     HDLC --connection over--> IDLE
 *
 * Facts. text[at .. n) is to be sent in ASK, IDENTIFY and CHOOSE; in IDLE, WAIT and CONFIRM
 * text[0 .. n) is a message coming in, `broken` when it is no use because of parity or length.
 * hold_ms: nothing leaves before it. timer_ms: when the phase is given up. `baud` changes behind
 * the client's choice and before the server's echo of it.
 *
 * What the standard leaves open or devices do differently is decided here and only here:
 * - The confirmation comes at the new speed and with parity (MetCom MCS301 manual 1.25, 12.2.2). A
 *   client that misses it goes on to HDLC all the same: its first characters often get lost while
 *   the speed changes, and SNRM shows soon enough whether the meter has come along.
 * - An optical head may send back what it hears. A client that reads its own request knows that its
 *   choice will come back, too, and does not take that for the confirmation.
 * - Letters 7 to 9 (38400 to 115200) are those of COSEM class 19; the 2002 standard ends at 6. */
#include "lib/dlms/mode_e.h"

#include <string.h>

enum { IDLE, ASK, IDENTIFY, WAIT, CHOOSE, CONFIRM, HDLC, BROKEN };
enum {
    ACK = 0x06,
    REACTION_MS = 200,
    ANSWER_MS = 1500, /* until the answer begins, and between its characters */
    IDLE_MS = 120000,
    N_CHOICE = 6
};

static const uint32_t speeds[10] = {300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200};

char mode_e_letter(uint32_t baud)
{
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i] == baud)
            return (char)('0' + i);
    }
    return '\0';
}

uint32_t mode_e_baud(char letter)
{
    return letter >= '0' && letter <= '9' ? speeds[letter - '0'] : 0;
}

static struct mode_e *self(struct dlms_link *l)
{
    return (struct mode_e *)l;
}

struct mode_e_speed mode_e_speed(const struct mode_e *m)
{
    bool text = m->phase != HDLC && !m->config.software_parity;
    return (struct mode_e_speed){.baud = m->baud, .seven_even = text};
}

static uint8_t with_parity(const struct mode_e *m, uint8_t c)
{
    if (!m->config.software_parity)
        return c;
    unsigned ones = c ^ (unsigned)c >> 4;
    ones ^= ones >> 2;
    ones ^= ones >> 1;
    return (uint8_t)(c | (ones & 1) << 7);
}

/* --- phases */

static void go(struct mode_e *m, uint8_t phase, uint64_t timer_ms)
{
    m->phase = phase;
    m->timer_ms = timer_ms;
    m->n = m->at = 0;
    m->broken = false;
}

static void go_idle(struct mode_e *m)
{
    go(m, IDLE, UINT64_MAX);
    m->baud = m->config.start_baud;
    m->was_open = m->echo = false;
}

static void fail(struct mode_e *m, const char *why)
{
    go_idle(m);
    m->phase = BROKEN;
    m->why = why;
}

static void put(struct mode_e *m, const void *p, size_t n)
{
    struct wr w = wr_of(m->text + m->n, sizeof m->text - m->n);
    wr_bytes(&w, p, n);
    m->n = (uint8_t)(m->n + w.len);
}

static void ask(struct mode_e *m)
{
    go(m, ASK, UINT64_MAX);
    m->baud = m->config.start_baud;
    put(m, "/?", 2);
    put(m, m->config.device, strlen(m->config.device));
    put(m, "!\r\n", 3);
}

static void identify(struct mode_e *m, uint64_t now_ms)
{
    const char *id = m->config.identification;
    const char enhanced[3] = {mode_e_letter(m->config.max_baud), '\\', '2'};
    go(m, IDENTIFY, UINT64_MAX);
    m->hold_ms = now_ms + m->config.reaction_ms;
    put(m, "/", 1);
    put(m, id, 3);
    put(m, enhanced, 3);
    put(m, id + 3, strlen(id + 3));
    put(m, "\r\n", 2);
}

static void choose(struct mode_e *m, uint64_t now_ms, char letter)
{
    const char choice[N_CHOICE] = {ACK, '2', letter, '2', '\r', '\n'};
    go(m, CHOOSE, UINT64_MAX);
    m->hold_ms = now_ms + m->config.reaction_ms;
    put(m, choice, N_CHOICE);
}

static void hand_over(struct mode_e *m, uint64_t now_ms)
{
    go(m, HDLC, m->config.is_server ? now_ms + m->config.idle_ms : UINT64_MAX);
    m->hold_ms = now_ms + m->config.reaction_ms;
    if (!m->config.is_server && dlms_link_open(m->hdlc, now_ms))
        fail(m, "the HDLC link is in use");
}

/* --- messages coming in, without CR LF */

static bool is_choice(const struct mode_e *m)
{
    return m->n == N_CHOICE - 2 && m->text[0] == ACK && m->text[1] == '2' && m->text[3] == '2';
}

/* "/XXXZ\2...": also with more enhanced characters before it ("\W\2"). */
static bool offers_hdlc(const struct mode_e *m)
{
    size_t i = 5;
    while (i + 1 < m->n && m->text[i] == '\\') {
        if (m->text[i + 1] == '2')
            return true;
        i += 2;
    }
    return false;
}

static void take_identification(struct mode_e *m, uint64_t now_ms)
{
    if (m->n >= 2 && m->text[0] == '/' && m->text[1] == '?') {
        m->echo = true;
        return;
    }
    if (m->n < 5 || m->text[0] != '/')
        return; /* noise before it: the answer may still come */
    uint32_t theirs = mode_e_baud((char)m->text[4]);
    if (theirs == 0 || !offers_hdlc(m)) {
        fail(m, "the device does not offer mode E");
        return;
    }
    uint32_t baud = theirs < m->config.max_baud ? theirs : m->config.max_baud;
    choose(m, now_ms, mode_e_letter(baud));
}

static void take_confirmation(struct mode_e *m, uint64_t now_ms)
{
    if (!is_choice(m))
        return;
    if (m->echo)
        m->echo = false;
    else
        hand_over(m, now_ms);
}

static void take_request(struct mode_e *m, uint64_t now_ms)
{
    const char *own = m->config.device;
    size_t n = m->n, len = strlen(own);
    if (n < 3 || memcmp(m->text, "/?", 2) != 0 || m->text[n - 1] != '!')
        return;
    if (n == 3 || (n - 3 == len && memcmp(m->text + 2, own, len) == 0))
        identify(m, now_ms);
}

static void take_choice(struct mode_e *m, uint64_t now_ms)
{
    if (m->n == 0 || m->text[0] == '/') { /* the client begins again, or it is our own echo */
        take_request(m, now_ms);
        return;
    }
    uint32_t baud = is_choice(m) ? mode_e_baud((char)m->text[2]) : 0;
    if (baud == 0 || baud > m->config.max_baud) {
        go_idle(m);
        return;
    }
    char letter = (char)m->text[2];
    m->baud = baud;
    choose(m, now_ms, letter);
}

static void take_message(struct mode_e *m, uint64_t now_ms)
{
    uint8_t phase = m->phase;
    bool server = m->config.is_server;
    if (!m->broken && phase == IDLE)
        take_request(m, now_ms);
    else if (!m->broken && phase == CONFIRM)
        take_confirmation(m, now_ms);
    else if (!m->broken && server)
        take_choice(m, now_ms);
    else if (!m->broken)
        take_identification(m, now_ms);
    if (m->phase == phase) { /* the next one, into an empty text */
        m->n = 0;
        m->broken = false;
    }
}

static bool listens(const struct mode_e *m)
{
    return m->phase == WAIT || m->phase == CONFIRM || (m->phase == IDLE && m->config.is_server);
}

static void take_octet(struct mode_e *m, uint64_t now_ms, uint8_t octet)
{
    uint8_t c = octet & 0x7F;
    if (m->phase != IDLE)
        m->timer_ms = now_ms + ANSWER_MS;
    if (c == '/' || c == ACK) { /* a message begins, whatever was before it */
        m->n = 0;
        m->broken = false;
    }
    if (m->config.software_parity && with_parity(m, c) != octet)
        m->broken = true;
    if (c == '\n')
        take_message(m, now_ms);
    else if (c != '\r' && m->n < sizeof m->text)
        m->text[m->n++] = c;
    else if (c != '\r')
        m->broken = true;
}

/* --- link */

static size_t feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct mode_e *m = self(l);
    size_t used = 0;
    while (used < n && m->phase != HDLC) {
        if (listens(m))
            take_octet(m, now_ms, p[used]);
        used++;
    }
    return used < n ? used + dlms_link_feed(m->hdlc, now_ms, p + used, n - used) : used;
}

static bool sends(const struct mode_e *m)
{
    return m->phase == ASK || m->phase == IDENTIFY || m->phase == CHOOSE;
}

/* The message is taken; it is on the line for a while yet. */
static void sent(struct mode_e *m, uint64_t now_ms)
{
    uint64_t timer = now_ms + (uint64_t)m->n * 10000 / m->baud + ANSWER_MS;
    if (m->phase != CHOOSE) {
        go(m, WAIT, timer);
    } else if (m->config.is_server) {
        hand_over(m, now_ms);
    } else {
        m->baud = mode_e_baud((char)m->text[2]);
        go(m, CONFIRM, timer);
    }
}

/* Back to the start when the connection is over and its last frame is out. */
static void settle(struct mode_e *m)
{
    if (m->phase != HDLC)
        return;
    enum dlms_link_state state = dlms_link_state(m->hdlc);
    if (state == LINK_CLOSED && (m->was_open || !m->config.is_server))
        go_idle(m);
    else if (state == LINK_OPEN)
        m->was_open = true;
}

static size_t take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct mode_e *m = self(l);
    size_t n = 0;
    if (now_ms < m->hold_ms)
        return 0;
    if (m->phase == HDLC) {
        n = dlms_link_take(m->hdlc, now_ms, to, size);
        if (n == 0)
            settle(m);
        return n;
    }
    while (sends(m) && n < size) {
        to[n++] = with_parity(m, m->text[m->at++]);
        if (m->at == m->n)
            sent(m, now_ms);
    }
    return n;
}

static void time_out(struct mode_e *m, uint64_t now_ms)
{
    if (m->phase == CONFIRM)
        hand_over(m, now_ms);
    else if (m->config.is_server)
        go_idle(m);
    else if (m->tries++ < m->config.retries)
        ask(m);
    else
        fail(m, "no answer to the sign-on");
}

static uint64_t poll(struct dlms_link *l, uint64_t now_ms)
{
    struct mode_e *m = self(l);
    if (m->phase == HDLC && dlms_link_state(m->hdlc) != LINK_CLOSED) {
        m->timer_ms = UINT64_MAX; /* from now on HDLC minds the time */
        m->was_open |= dlms_link_state(m->hdlc) == LINK_OPEN;
    }
    if (now_ms >= m->timer_ms)
        time_out(m, now_ms);
    uint64_t next = m->timer_ms;
    uint64_t inner = m->phase == HDLC ? dlms_link_poll(m->hdlc, now_ms) : UINT64_MAX;
    if (inner < next)
        next = inner;
    if ((sends(m) || m->phase == HDLC) && now_ms < m->hold_ms && m->hold_ms < next)
        next = m->hold_ms;
    return next;
}

static void reset(struct dlms_link *l)
{
    struct mode_e *m = self(l);
    dlms_link_reset(m->hdlc);
    go_idle(m);
    m->why = "";
    m->hold_ms = 0;
    m->tries = 0;
}

static enum dlms_link_state link_state(const struct dlms_link *l)
{
    const struct mode_e *m = (const struct mode_e *)l;
    if (m->phase == HDLC)
        return dlms_link_state(m->hdlc);
    if (m->phase == BROKEN)
        return LINK_FAILED;
    return m->phase == IDLE || m->config.is_server ? LINK_CLOSED : LINK_OPENING;
}

static enum err open_link(struct dlms_link *l, uint64_t now_ms)
{
    struct mode_e *m = self(l);
    if (m->config.is_server || link_state(l) != LINK_CLOSED)
        return ERR_STATE;
    m->tries = 0;
    m->hold_ms = now_ms;
    ask(m);
    return ERR_OK;
}

static enum err close_link(struct dlms_link *l, uint64_t now_ms)
{
    struct mode_e *m = self(l);
    if (m->phase == HDLC)
        return dlms_link_close(m->hdlc, now_ms);
    if (link_state(l) != LINK_OPENING)
        return ERR_STATE;
    go_idle(m);
    return ERR_OK;
}

static bool received(struct dlms_link *l, struct dlms_frame *out)
{
    return dlms_link_received(self(l)->hdlc, out);
}

static void release(struct dlms_link *l)
{
    dlms_link_release(self(l)->hdlc);
}

static enum err send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    struct mode_e *m = self(l);
    return m->phase == HDLC ? dlms_link_send(m->hdlc, now_ms, f) : ERR_STATE;
}

static bool sending(const struct dlms_link *l)
{
    return dlms_link_sending(((const struct mode_e *)l)->hdlc);
}

static const char *why(const struct dlms_link *l)
{
    const struct mode_e *m = (const struct mode_e *)l;
    return m->phase == BROKEN ? m->why : dlms_link_why(m->hdlc);
}

static size_t max_apdu(const struct dlms_link *l)
{
    return dlms_link_max_apdu(((const struct mode_e *)l)->hdlc);
}

static const struct dlms_link_ops mode_e_ops = {.reset = reset,
                                                .open = open_link,
                                                .close = close_link,
                                                .feed = feed,
                                                .take = take,
                                                .poll = poll,
                                                .received = received,
                                                .release = release,
                                                .send = send,
                                                .sending = sending,
                                                .state = link_state,
                                                .why = why,
                                                .max_apdu = max_apdu};

/* Printable, and nothing that begins or ends a message. */
static bool text_right(const char *text, size_t min, size_t max)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        if (n == max || text[n] < ' ' || text[n] > '~' || text[n] == '/' || text[n] == '!')
            return false;
    }
    return n >= min;
}

enum err mode_e_init(struct mode_e *m, const struct mode_e_config *config, struct dlms_link *hdlc)
{
    *m = (struct mode_e){.link = {&mode_e_ops}, .config = *config, .hdlc = hdlc};
    struct mode_e_config *c = &m->config;
    c->device = c->device ? c->device : "";
    c->identification = c->identification ? c->identification : "";
    c->start_baud = c->start_baud ? c->start_baud : 300;
    c->max_baud = c->max_baud ? c->max_baud : 9600;
    c->reaction_ms = c->reaction_ms ? c->reaction_ms : REACTION_MS;
    c->idle_ms = c->idle_ms ? c->idle_ms : IDLE_MS;
    go_idle(m);
    m->why = "";
    size_t id_min = c->is_server ? 3 : 0;
    if (!text_right(c->device, 0, MODE_E_DEVICE_MAX) ||
        !text_right(c->identification, id_min, MODE_E_IDENTIFICATION_MAX) ||
        !mode_e_letter(c->start_baud) || !mode_e_letter(c->max_baud))
        return ERR_RANGE;
    return ERR_OK;
}
