/* A complete DLMS meter on a TCP port with libferraris alone: two registers and their association
 * for a reader with a password. meter PORT PASSWORD-FILE */
#include <lib/base/version.h>
#include <lib/cosem/session.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define N_LINES 4

/* What the meter measures: here a load of 1.2 kW. `arg` of the row is the unit, Wh or W. */
static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)c, (void)sel, (void)g;
    if (attr == 2) { /* value */
        axdr_put_u32(out, o->row->arg == 30 ? (uint32_t)(time(NULL) / 3) : 1200);
    } else { /* scaler_unit */
        axdr_put_struct(out, 2), axdr_put_i8(out, 0), axdr_put_enum(out, (uint8_t)o->row->arg);
    }
    return COSEM_SUCCESS;
}
/* Bit n - 1 is attribute n; the association's secret, 7, is nobody's. Rows: by class, then name. */
static const struct cosem_rights rights = {.read = {[COSEM_READER] = 0x1BF}};
static const struct cosem_binding registers = {.get = get_register};
static const struct cosem_kind reg = {3, 0, .rights = &rights, .binding = &registers};
static const struct cosem_kind association = {15, 1, .rights = &rights,
                                              .binding = &cosem_binding_association};
static const struct cosem_row rows[] = {
    {{1, 0, 1, 7, 0, 255}, .kind = &reg, .arg = 27},
    {{1, 0, 1, 8, 0, 255}, .kind = &reg, .arg = 30},
    {{0, 0, 40, 0, 0, 255}, .kind = &association},
};
static const struct cosem_device device = {
    .sap = 1, .name = "FER0000000000001", .rows = rows, .n_rows = 3};
static const struct cosem_device *const devices[] = {&device};

static enum err random_octets(const struct hal_rng *rng, void *to, size_t n)
{
    (void)rng;
    return getrandom(to, n, 0) == (ssize_t)n ? ERR_OK : ERR_RNG;
}

/* Octets of the line to the session, its answers to the line; false: the line is over. */
static bool serve(int fd, struct cosem_session *s)
{
    uint8_t in[512], out[512];
    ssize_t n = read(fd, in, sizeof in);
    for (size_t used = 0, len; n > 0 && used < (size_t)n && !session_closed(s);) {
        used += session_feed(s, in + used, (size_t)n - used);
        while ((len = session_take(s, out, sizeof out)) > 0)
            if (write(fd, out, len) != (ssize_t)len)
                return false;
    }
    return n > 0 && !session_closed(s);
}

int main(int argc, char **argv)
{
    static struct cosem_session session[1 + N_LINES]; /* 0 is idle: its line is the listener */
    struct pollfd line[1 + N_LINES] = {{.events = POLLIN, .fd = socket(AF_INET, SOCK_STREAM, 0)}};
    char password[32];
    FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (!file || fscanf(file, "%31s", password) != 1 || !ferraris_version_fits(FERRARIS_VERSION))
        return fputs("usage: meter PORT PASSWORD-FILE\n", stderr), 1;
    const struct hal_rng rng = {.fill = random_octets};
    const struct cosem_client_entry reader = {
        .sap = 2, .role = COSEM_READER, .mechanism = COSEM_AUTH_LLS, .password = password};
    struct cosem_server server = {.config.title = "FERMETER", .config.rng = &rng};
    server.config.devices = devices, server.config.n_devices = 1;
    server.config.clients = &reader, server.config.n_clients = 1;
    server.config.inactivity_ms = 120000;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(line[0].fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(line[0].fd, (struct sockaddr *)&at, sizeof at) || listen(line[0].fd, N_LINES))
        return perror("meter"), 1;
    for (int i = 1; i <= N_LINES; i++)
        line[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    while (poll(line, 1 + N_LINES, 1000) >= 0) {
        for (int i = 1; i <= N_LINES; i++) {
            if (line[i].fd >= 0) {
                (void)session_poll(&session[i], (uint64_t)time(NULL) * 1000);
                if (session_closed(&session[i]) ||
                    (line[i].revents && !serve(line[i].fd, &session[i])))
                    session_close(&session[i]), close(line[i].fd), line[i].fd = -1;
            } else if (line[0].revents) {
                line[0].revents = 0, line[i].fd = accept(line[0].fd, NULL, NULL);
                session_init(&session[i], &server);
            }
        }
    }
}
