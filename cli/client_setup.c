/* What the options of a client verb mean: authentication, protection, numbers, keys, password. */
#include "cli/client_setup.h"

#include "lib/cosem/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct auth {
    const char *name;
    uint8_t mechanism;
    uint16_t client; /* the SAP it is usual with */
    const char *security;
};

static const struct auth *find_auth(const char *name)
{
    static const struct auth row[] = {
        {"none", DLMS_MECHANISM_NONE, 16, "none"}, {"lls", DLMS_MECHANISM_LLS, 2, "none"},
        {"hls2", DLMS_MECHANISM_HLS2, 1, "none"},  {"hls3", DLMS_MECHANISM_HLS3, 1, "none"},
        {"hls4", DLMS_MECHANISM_HLS4, 1, "none"},  {"hls5", DLMS_MECHANISM_HLS5, 1, "authenc"},
        {"hls6", DLMS_MECHANISM_HLS6, 1, "none"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(name, row[i].name) == 0)
            return &row[i];
    return NULL;
}

/* Why a mechanism that has a name cannot be had from this program; NULL: it can. */
static const char *missing_auth(const char *name)
{
    if (strcmp(name, "hls7") == 0)
        return "(ECDSA) is not supported yet";
    if (strcmp(name, "hls2") == 0)
        return "needs the maker's secret algorithm: a program with the library may supply it";
    if (!COSEM_WITH_WEAK_HLS && (strcmp(name, "hls3") == 0 || strcmp(name, "hls4") == 0))
        return "(MD5, SHA-1) is weak and not in this build: see COSEM_WITH_WEAK_HLS";
    return NULL;
}

static int choose_auth(const struct link *l, const struct link_options *o,
                       struct cosem_client_config *k)
{
    static const struct {
        const char *name;
        uint8_t control;
    } protection[] = {{"none", 0},
                      {"auth", DLMS_SC_AUTH},
                      {"enc", DLMS_SC_ENC},
                      {"authenc", DLMS_SC_AUTH | DLMS_SC_ENC}};
    const struct auth *auth = find_auth(o->auth);
    const char *missing = missing_auth(o->auth);
    if (missing != NULL)
        return cli_fail(l->verb, CLI_USAGE, "--auth %s %s", o->auth, missing);
    if (auth == NULL)
        return cli_fail(l->verb, CLI_USAGE, "--auth is none, lls or hls2 to hls6, not '%s'",
                        o->auth);
    const char *security = o->security != NULL ? o->security : auth->security;
    k->mechanism = auth->mechanism;
    k->client_sap = auth->client;
    for (size_t i = 0; i < sizeof protection / sizeof protection[0]; i++)
        if (strcmp(security, protection[i].name) == 0) {
            k->security = protection[i].control;
            return LINK_OK;
        }
    return cli_fail(l->verb, CLI_USAGE, "--security is none, auth, enc or authenc, not '%s'",
                    security);
}

static int check_numbers(const struct link *l, const struct link_options *o,
                         struct cosem_client_config *k)
{
    if (o->client > 0xFFFF || o->server > 0xFFFF)
        return cli_fail(l->verb, CLI_USAGE, "a SAP is a number up to 65535");
    if (o->max_pdu != 0 && (o->max_pdu < 64 || o->max_pdu > COSEM_CLIENT_PDU_MAX))
        return cli_fail(l->verb, CLI_USAGE, "--max-pdu is 64 to %d", COSEM_CLIENT_PDU_MAX);
    if (o->gbt > 63)
        return cli_fail(l->verb, CLI_USAGE, "--gbt is 0 to 63 blocks in a row");
    if (o->hdlc_address > 0x3FFF)
        return cli_fail(l->verb, CLI_USAGE, "--hdlc-address is a number up to 16383");
    if (o->timeout_s == 0 || o->timeout_s > 86400)
        return cli_fail(l->verb, CLI_USAGE, "--timeout is 1 to 86400 seconds");
    if (o->client != 0)
        k->client_sap = (uint16_t)o->client;
    k->server_sap = (uint16_t)o->server;
    k->max_pdu = (uint16_t)o->max_pdu;
    k->timeout_ms = (uint32_t)o->timeout_s * 1000;
    k->dedicated = o->dedicated;
    k->general = o->general;
    k->gbt_window = (uint8_t)o->gbt;
    if ((k->dedicated || k->general) && k->security == 0)
        return cli_fail(l->verb, CLI_USAGE, "--dedicated and --general need --security");
    return LINK_OK;
}

static int read_password_file(struct link *l, const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    if (fgets(l->password, sizeof l->password, f) == NULL)
        l->password[0] = '\0';
    fclose(f);
    l->password[strcspn(l->password, "\r\n")] = '\0';
    return LINK_OK;
}

static int find_password(struct link *l, const struct link_options *o)
{
    const char *environment = getenv("FERRARIS_PASSWORD");
    if (o->password_file != NULL) {
        const int code = read_password_file(l, o->password_file);
        if (code != LINK_OK)
            return code;
    } else if (l->keys.password[0] != '\0') {
        snprintf(l->password, sizeof l->password, "%s", l->keys.password);
    } else if (environment != NULL) {
        snprintf(l->password, sizeof l->password, "%s", environment);
    }
    if (l->password[0] == '\0')
        return cli_fail(l->verb, CLI_SECURITY,
                        "no password: give --password-file, --keys or FERRARIS_PASSWORD");
    return LINK_OK;
}

static int read_keys(struct link *l, const struct link_options *o, bool ciphers)
{
    char error[640];
    if (o->keys == NULL && ciphers)
        return cli_fail(l->verb, CLI_SECURITY, "keys are needed: give --keys FILE");
    if (o->keys == NULL)
        return LINK_OK;
    enum err err = keys_file_read(&l->keys, o->keys, error, sizeof error);
    if (err)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s", error);
    if (l->keys.warning[0] != '\0')
        cli_fail(l->verb, 0, "%s: %s", o->keys, l->keys.warning);
    if (!ciphers)
        return LINK_OK;
    if (!l->keys.keys.has_guek || !l->keys.keys.has_gak)
        return cli_fail(l->verb, CLI_SECURITY, "%s: guek and gak are needed", o->keys);
    err = keys_state_open(&l->state, &l->keys, error, sizeof error);
    if (err)
        return cli_fail(l->verb, CLI_BAD_DATA, "%s", error);
    return LINK_OK;
}

/* HLS 6 hashes the titles of both sides; without keys none is kept, and any will do. */
static int draw_title(struct link *l)
{
    static const uint8_t flag[3] = {'F', 'R', 'R'};
    memcpy(l->state.title, flag, sizeof flag);
    if (l->rng.fill(&l->rng, l->state.title + 3, DLMS_TITLE_LEN - 3) != ERR_OK)
        return cli_fail(l->verb, CLI_SECURITY, "%s", err_text(ERR_RNG));
    return LINK_OK;
}

int client_setup(struct link *l, const struct link_options *o, struct cosem_client_config *k)
{
    memset(k, 0, sizeof *k);
    int code = choose_auth(l, o, k);
    if (code == LINK_OK)
        code = check_numbers(l, o, k);
    const bool ciphers = k->security != 0 || k->mechanism == DLMS_MECHANISM_HLS5;
    const bool secret = k->mechanism != DLMS_MECHANISM_NONE && k->mechanism != DLMS_MECHANISM_HLS5;
    if (code == LINK_OK)
        code = read_keys(l, o, ciphers);
    if (code == LINK_OK && secret)
        code = find_password(l, o);
    if (code == LINK_OK && k->mechanism == DLMS_MECHANISM_HLS6 && !ciphers)
        code = draw_title(l);
    k->keys = &l->keys.keys;
    k->counter = &l->state.counter;
    k->rng = &l->rng;
    k->password = l->password;
    memcpy(k->title, l->state.title, sizeof k->title);
    return code;
}
