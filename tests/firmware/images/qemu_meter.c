/* See qemu_meter.h. */
#include "tests/firmware/images/qemu_meter.h"

#include "firmware/ports/mps2/keys.h"
#include "firmware/ports/posix/rng.h"
#include "lib/cosem/profile_select.h"
#include "lib/dlms/datetime.h"
#include "lib/dlms/hdlc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATION   17
#define VALUE_MAX 32768

static const uint8_t ln_clock[6] = {0, 0, 1, 0, 0, 255}, ln_profile[6] = {1, 0, 99, 1, 0, 255},
                     ln_counter[6] = {0, 0, 43, 1, 1, 255};

struct meter { /* the process, the two pipes of its line, its reports, its supervisor */
    pid_t pid;
    int to, from, told, supply;
};
static struct meter meter;
static struct cosem_client client;
static struct hdlc hdlc_line;
static uint8_t link_buffer[COSEM_CLIENT_PDU_MAX + HDLC_HEAD_MAX + 5];
static struct hal_rng rng;
static struct dlms_keys keys;
static struct dlms_counter counter = {.next = 1, .limit = 1000000};
static uint8_t value[VALUE_MAX];
static size_t value_len;
static enum cosem_result result;
static char keys_path[] = "/tmp/meter_keys_XXXXXX";
static const char *program = "";
static char reports[16384]; /* what was told and not asked for yet */

void qemu_stop(void)
{
    if (meter.pid > 0) {
        kill(meter.pid, SIGKILL);
        waitpid(meter.pid, NULL, 0);
        meter.pid = 0;
    }
    unlink(keys_path);
}

void qemu_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    qemu_stop();
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void write_keys(void)
{
    struct mps2_keys page = {.title = {'F', 'E', 'R', 0, 0, 0, 0, 1}};
    int fd = mkstemp(keys_path);
    memcpy(page.mark, MPS2_KEYS_MARK, sizeof page.mark);
    if (rng.fill(&rng, page.guek, sizeof page.guek) || rng.fill(&rng, page.gak, sizeof page.gak) ||
        rng.fill(&rng, page.kek, sizeof page.kek) || rng.fill(&rng, page.seed, sizeof page.seed))
        qemu_fail("no randomness");
    if (fd < 0 || write(fd, &page, sizeof page) != (ssize_t)sizeof page || close(fd) != 0)
        qemu_fail("%s: %s", keys_path, strerror(errno));
    memcpy(keys.guek, page.guek, sizeof keys.guek);
    memcpy(keys.gak, page.gak, sizeof keys.gak);
    keys.has_guek = keys.has_gak = true;
}

static void run_qemu(const char *image, int supervisor)
{
    char loader[128], socket[64];
    snprintf(loader, sizeof loader, "loader,file=%s,addr=0x%X,force-raw=on", keys_path,
             MPS2_KEYS_ADDRESS);
    snprintf(socket, sizeof socket, "socket,id=supply,fd=%d", supervisor);
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor",
           "none", "-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line", "-chardev",
           socket, "-serial", "chardev:supply", "-semihosting-config", "enable=on,target=native",
           "-device", loader, "-kernel", image, (char *)NULL);
    _exit(127);
}

void qemu_start(const char *name, const char *image)
{
    enum { SUPERVISOR = STDERR_FILENO + 1 };
    int in[2], out[2], told[2], supply[2];
    program = name;
    signal(SIGPIPE, SIG_IGN);
    rng = posix_rng();
    write_keys();
    if (pipe(in) || pipe(out) || pipe(told) || socketpair(AF_UNIX, SOCK_STREAM, 0, supply))
        qemu_fail("pipe: %s", strerror(errno));
    meter.pid = fork();
    if (meter.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(told[1], STDERR_FILENO);
        dup2(supply[1], SUPERVISOR);
        for (int fd = SUPERVISOR + 1; fd < 20; fd++)
            close(fd);
        run_qemu(image, SUPERVISOR);
    }
    close(in[0]), close(out[1]), close(told[1]), close(supply[1]);
    meter.to = in[1], meter.from = out[0], meter.told = told[0], meter.supply = supply[0];
}

/* Moves octets both ways until the client has nothing under way. */
static void run(enum err begun, const char *what)
{
    uint64_t end = now_ms() + PATIENCE_MS;
    if (begun)
        qemu_fail("%s: %s", what, err_text(begun));
    while (cosem_client_waiting(&client) || dlms_link_state(&hdlc_line.link) == LINK_CLOSING) {
        uint8_t octets[512];
        size_t n = cosem_client_take(&client, octets, sizeof octets);
        struct pollfd from = {.fd = meter.from, .events = POLLIN};
        if (n > 0 && write(meter.to, octets, n) != (ssize_t)n)
            qemu_fail("%s: the meter is gone", what);
        (void)cosem_client_poll(&client, now_ms());
        if (n == 0 && poll(&from, 1, 20) > 0) {
            ssize_t got = read(meter.from, octets, sizeof octets);
            if (got <= 0)
                qemu_fail("%s: the meter has ended", what);
            for (size_t used = 0; used < (size_t)got && client.state != CLIENT_FAILED;)
                used += cosem_client_feed(&client, now_ms(), octets + used, (size_t)got - used);
        }
        if (now_ms() > end)
            qemu_fail("%s: no end after %d s", what, PATIENCE_MS / 1000);
    }
    if (client.state == CLIENT_FAILED) {
        char why[200];
        cosem_client_explain(&client, why, sizeof why);
        qemu_fail("%s: %s", what, why);
    }
}

static bool take_value(void *context, uint32_t index, struct bytes part)
{
    (void)context, (void)index;
    if (part.len > sizeof value - value_len)
        return false;
    memcpy(value + value_len, part.p, part.len);
    value_len += part.len;
    return true;
}
static void take_result(void *context, uint32_t index, enum cosem_result r)
{
    (void)context, (void)index;
    result = r;
}
static const struct cosem_client_sink sink = {.data = take_value, .done = take_result};

void qemu_associate(uint16_t sap, bool secure)
{
    struct cosem_client_config config = {
        .client_sap = sap,
        .server_sap = 1,
        .timeout_ms = PATIENCE_MS / 2,
        .title = {'F', 'E', 'R', 0, 0, 0, 0, 2},
        .rng = &rng,
        .link = &hdlc_line.link,
    };
    if (secure) {
        config.mechanism = DLMS_MECHANISM_HLS5;
        config.security = DLMS_SC_AUTH | DLMS_SC_ENC;
        config.keys = &keys;
        config.counter = &counter;
    }
    const struct hdlc_config line = {.client_sap = sap,
                                     .server_sap = 1,
                                     .server_lower = STATION,
                                     .address_size = 2,
                                     .response_ms = 3000,
                                     .retries = 3};
    if (hdlc_client_init(&hdlc_line, &line, link_buffer, sizeof link_buffer) ||
        cosem_client_init(&client, &config))
        qemu_fail("configuration of the client");
    run(cosem_client_connect(&client, now_ms()), "association");
}

struct apdu_attr attr_of(uint16_t class_id, const uint8_t ln[6], uint8_t id)
{
    struct apdu_attr a = {.class_id = class_id, .id = id};
    memcpy(a.ln, ln, sizeof a.ln);
    return a;
}

static void expect(enum cosem_result want, const struct apdu_attr *a, const char *what)
{
    if (result != want)
        qemu_fail("%s class %u id %u: %s, not %s", what, a->class_id, a->id,
                  cosem_result_text(result), cosem_result_text(want));
}

struct rd get(const struct apdu_attr *a, enum cosem_result want)
{
    value_len = 0;
    run(cosem_client_get(&client, now_ms(), a, &sink), "GET");
    expect(want, a, "GET");
    return rd_of(value, value_len);
}

void set(struct apdu_attr a, struct bytes octets, enum cosem_result want)
{
    run(cosem_client_set(&client, now_ms(), &a, octets, &sink), "SET");
    expect(want, &a, "SET");
}

void act(struct apdu_attr a, enum cosem_result want)
{
    static const uint8_t zero[] = {AXDR_I8, 0};
    a.parameter = (struct bytes){zero, sizeof zero};
    run(cosem_client_action(&client, now_ms(), &a, &sink), "ACTION");
    expect(want, &a, "ACTION");
}

enum cosem_result try_get(const struct apdu_attr *a, struct rd *r)
{
    value_len = 0;
    run(cosem_client_get(&client, now_ms(), a, &sink), "GET");
    *r = rd_of(value, value_len);
    return result;
}

enum cosem_result try_set(const struct apdu_attr *a, struct bytes octets)
{
    run(cosem_client_set(&client, now_ms(), a, octets, &sink), "SET");
    return result;
}

void qemu_release(void)
{
    run(cosem_client_release(&client, now_ms()), "release");
}

void qemu_follow_counter(void)
{
    const struct apdu_attr a = attr_of(1, ln_counter, 2);
    qemu_associate(16, false);
    struct rd r = get(&a, COSEM_SUCCESS);
    uint64_t least = axdr_get_uint(&r);
    qemu_release();
    if (r.err || least > counter.limit)
        qemu_fail("0-0:43.1.1 is no counter");
    if (least > counter.next)
        counter.next = (uint32_t)least;
}

void qemu_drop(void)
{
    cosem_client_lost(&client);
}

void qemu_wait_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

void qemu_supply(char what)
{
    if (write(meter.supply, &what, 1) != 1)
        qemu_fail("the supervisor is gone");
}

size_t rows_of(struct apdu_attr *a)
{
    struct rd r = get(a, COSEM_SUCCESS);
    size_t n = axdr_get_array(&r);
    for (size_t i = 0; i < n; i++)
        axdr_skip(&r);
    if (r.err || rd_left(&r) != 0)
        qemu_fail("the profile is cut");
    return n;
}

static void put_time(struct wr *w, int64_t utc_s)
{
    const struct datetime d = datetime_from_utc(utc_s, 0, 0);
    datetime_put(w, &d);
}

void qemu_set_clock(int64_t utc_s)
{
    const struct apdu_attr a = attr_of(8, ln_clock, 2);
    uint8_t octets[16];
    struct wr w = wr_of(octets, sizeof octets);
    struct datetime told;
    int64_t utc = 0;
    put_time(&w, utc_s);
    set(a, (struct bytes){octets, w.len}, COSEM_SUCCESS);
    struct rd r = get(&a, COSEM_SUCCESS);
    datetime_get(&r, &told);
    if (r.err || datetime_to_utc(&told, 0, &utc) || utc < utc_s || utc > utc_s + 60)
        qemu_fail("the clock does not show what it was set to");
}

static size_t selected_rows(uint8_t selector, const struct wr *parameter)
{
    struct apdu_attr a = attr_of(7, ln_profile, 2);
    a.selector = selector;
    a.parameter = (struct bytes){parameter->p, parameter->len};
    return rows_of(&a);
}

size_t qemu_rows_between(int64_t from_s, int64_t to_s)
{
    uint8_t octets[128], from[16], to[16];
    struct wr f = wr_of(from, sizeof from), t = wr_of(to, sizeof to),
              w = wr_of(octets, sizeof octets);
    put_time(&f, from_s);
    put_time(&t, to_s);
    struct profile_range range = {
        .by = {.class_id = 8, .attribute = 2}, .from = {from, f.len}, .to = {to, t.len}};
    memcpy(range.by.ln, ln_clock, sizeof range.by.ln);
    profile_put_range(&w, &range);
    return selected_rows(PROFILE_BY_RANGE, &w);
}

size_t qemu_entries(uint32_t first, uint32_t last)
{
    const struct profile_entries entries = {.from = first, .to = last, .from_column = 1};
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    profile_put_entries(&w, &entries);
    return selected_rows(PROFILE_BY_ENTRY, &w);
}

/* A whole line that begins with `when`, taken out of the reports. */
static bool find_report(const char *when, unsigned long *used)
{
    for (char *at = reports, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        unsigned long size = 0, lost = 0;
        size_t len = strlen(when);
        if (strncmp(at, when, len) != 0 ||
            sscanf(at + len, " stack %lu of %lu lost %lu", used, &size, &lost) != 3)
            continue;
        if (*used + 256 > size || lost != 0)
            qemu_fail("stack %lu of %lu, %lu octets of the line lost", *used, size, lost);
        memmove(reports, end + 1, strlen(end + 1) + 1);
        return true;
    }
    return false;
}

unsigned long qemu_report(const char *when)
{
    unsigned long used = 0;
    while (!find_report(when, &used)) {
        struct pollfd told = {.fd = meter.told, .events = POLLIN};
        size_t len = strlen(reports);
        if (len + 1 >= sizeof reports || poll(&told, 1, PATIENCE_MS) <= 0)
            qemu_fail("the meter does not report '%s'; it said: %s", when, reports);
        ssize_t got = read(meter.told, reports + len, sizeof reports - 1 - len);
        if (got <= 0)
            qemu_fail("the meter has ended; it said: %s", reports);
        reports[len + (size_t)got] = '\0';
    }
    return used;
}
