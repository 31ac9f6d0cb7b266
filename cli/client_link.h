/* A meter on the line, for the client verbs: options, address, blocking calls with messages.
 *
 * Functions that can fail give an exit code (enum cli_exit) after they have said why on stderr, or
 * LINK_OK. */
#ifndef FERRARIS_CLI_CLIENT_LINK_H
#define FERRARIS_CLI_CLIENT_LINK_H

#include "cli/cli.h"
#include "cli/client_line.h"
#include "cli/keys_file.h"
#include "lib/cosem/client.h"

#define LINK_OK (-1)

struct link_options {
    const char *auth, *security, *keys, *password_file, *counter;
    const char *profile, *save_profile; /* names of saved connections; see client_words.h */
    uint64_t client, server, timeout_s, max_pdu, hdlc_address, gbt;
    bool dedicated, general;
};
#define LINK_OPTIONS_DEFAULT                                                                       \
    {                                                                                              \
        .auth = "none", .server = 1, .timeout_s = 10, .hdlc_address = 17                           \
    }
/* What the words of a client verb stand for, for cli_verb.words. */
#define LINK_WORDS                                                                                 \
    "URL     tcp://HOST[:4059], udp://HOST[:4059]   wrapper\n"                                     \
    "        hdlc+tcp://HOST[:PORT]                 HDLC behind a serial device server\n"          \
    "        serial:///dev/ttyUSB0?baud=9600        HDLC; &mode=e signs on at 300 baud first,\n"   \
    "                                               bits=7|8, parity=none|even|odd, stop=1|2\n"    \
    "        ?gateway=NETWORK:HEX                   on any: the meter behind a gateway\n"          \
    "        none with --profile\n"
#define LINK_WORDS_OBJECT                                                                          \
    LINK_WORDS "OBJECT  logical name, 1-0:1.8.0.255; the last group may be left out\n"
#define LINK_WORDS_TYPE                                                                            \
    LINK_WORDS_OBJECT                                                                              \
    "TYPE    i8 u8 i16 u16 i32 u32 i64 u64 enum bool null os (hex) vs (text) utf8 bits (0101)\n"   \
    "        time (2026-03-29T03:15:00+02:00) f32 f64 axdr (hex of any value as it travels)\n"
/* Rows for a verb's option table. */
#define LINK_OPTION_ROWS(o)                                                                        \
    {"client", CLI_UINT, &(o).client, "SAP",                                                       \
     "client SAP (default 16 without authentication, 2 with lls, 1 with hls5)"},                   \
        {"server", CLI_UINT, &(o).server, "SAP", "logical device (default 1)"},                    \
        {"auth", CLI_TEXT, &(o).auth, "none|lls|hls2..hls6", "authentication (default none)"},     \
        {"security", CLI_TEXT, &(o).security, "none|auth|enc|authenc",                             \
         "protection of each message (default none, with hls5 authenc)"},                          \
        {"keys", CLI_TEXT, &(o).keys, "FILE",                                                      \
         "guek, gak, password as `name = value` lines, mode 0600"},                                \
        {"password-file", CLI_TEXT, &(o).password_file, "FILE",                                    \
         "password of lls and hls (or FERRARIS_PASSWORD in the environment)"},                     \
        {"counter", CLI_TEXT, &(o).counter, "N|read",                                              \
         "go on above this invocation counter, or read it from the meter first"},                  \
        {"max-pdu", CLI_UINT, &(o).max_pdu, "N", "largest message accepted, 64..2048"},            \
        {"hdlc-address", CLI_UINT, &(o).hdlc_address, "N",                                         \
         "physical address of the meter on HDLC lines; 0: has none (default 17)"},                 \
        {"dedicated", CLI_FLAG, &(o).dedicated, NULL, "protect with a key of this session's own"}, \
        {"general", CLI_FLAG, &(o).general, NULL, "general ciphering, not that of each service"},  \
        {"gbt", CLI_UINT, &(o).gbt, "WINDOW",                                                      \
         "propose general block transfer, so many blocks in a row (1..63)"},                       \
        {"profile", CLI_TEXT, &(o).profile, "NAME",                                                \
         "a saved connection: address and options; see ferraris connections"},                     \
        {"save-profile", CLI_TEXT, &(o).save_profile, "NAME",                                      \
         "save this address and these options, but no secret"},                                    \
    {                                                                                              \
        "timeout", CLI_UINT, &(o).timeout_s, "SECONDS", "longest wait for an answer (default 10)"  \
    }

/* Octets that grow. Zero is an empty one; blob_free ends it. */
struct blob {
    uint8_t *p;
    size_t len, size;
};
bool blob_add(struct blob *b, struct bytes part);
void blob_free(struct blob *b);

struct link {
    const struct cli_verb *verb;
    struct client_line line;
    uint16_t physical; /* HDLC address of the meter */
    struct cosem_client client;
    uint8_t *blocks; /* answers by general block transfer; NULL: not proposed */
    struct keys_file keys;
    struct keys_state state;
    struct hal_rng rng;
    char password[KEYS_FILE_PASSWORD_MAX + 1];
};

/* Opens the line of the address (line_url.h) and associates. *l must not move until link_close,
 * which may be called after a failure, too. */
int link_open(struct link *l, const struct cli_verb *verb, const char *url,
              const struct link_options *o);
/* Releases the association and closes; wipes secrets. */
void link_close(struct link *l);

/* Reads one attribute into `out` (emptied first). *result is the meter's word; a refusal is not a
 * failure. `progress`: bar text while a long array comes in, NULL for none. */
int link_get(struct link *l, const struct apdu_attr *attr, struct blob *out,
             enum cosem_result *result, const char *progress);
int link_set(struct link *l, const struct apdu_attr *attr, struct bytes value,
             enum cosem_result *result);
/* `out` gets the return value, empty when there is none. */
int link_action(struct link *l, const struct apdu_attr *method, struct blob *out,
                enum cosem_result *result);

#endif
