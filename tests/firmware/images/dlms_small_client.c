/* A conversation with the small meter's image in QEMU: dlms_small_client IMAGE.
 *
 * The meter's serial line is QEMU's standard input and output; its report of the stack comes by
 * semihosting on standard error. The keys are drawn for each run and laid into the meter's page of
 * keys by QEMU's loader device, as a personalisation would. Everything the image can do is done
 * once, so that the stack's mark means something. It prints "stack OCTETS", and says what went
 * wrong and ends with 1 where an answer is not the right one. */
#include "firmware/ports/mps2/keys.h"
#include "firmware/ports/posix/rng.h"
#include "lib/cosem/client.h"
#include "lib/cosem/profile_select.h"
#include "lib/dlms/axdr.h"
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATION     17
#define ROWS        16 /* of the profile */
#define PATIENCE_MS 20000
#define VALUE_MAX   4096

struct meter { /* the process and the two pipes to its line */
    pid_t pid;
    int to, from, told;
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
static char keys_path[] = "/tmp/dlms_small_keys_XXXXXX";

static void stop_meter(void)
{
    if (meter.pid > 0) {
        kill(meter.pid, SIGKILL);
        waitpid(meter.pid, NULL, 0);
        meter.pid = 0;
    }
    unlink(keys_path);
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("dlms_small_client: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    stop_meter();
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
        fail("no randomness");
    if (fd < 0 || write(fd, &page, sizeof page) != (ssize_t)sizeof page || close(fd) != 0)
        fail("%s: %s", keys_path, strerror(errno));
    memcpy(keys.guek, page.guek, sizeof keys.guek);
    memcpy(keys.gak, page.gak, sizeof keys.gak);
    keys.has_guek = keys.has_gak = true;
}

static void start_meter(const char *image)
{
    char loader[128];
    int in[2], out[2], told[2];
    snprintf(loader, sizeof loader, "loader,file=%s,addr=0x%X,force-raw=on", keys_path,
             MPS2_KEYS_ADDRESS);
    if (pipe(in) || pipe(out) || pipe(told))
        fail("pipe: %s", strerror(errno));
    meter.pid = fork();
    if (meter.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(told[1], STDERR_FILENO);
        for (int fd = STDERR_FILENO + 1; fd < 16; fd++)
            close(fd);
        execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps2-an386", "-display", "none",
               "-monitor", "none", "-serial", "stdio", "-semihosting-config",
               "enable=on,target=native", "-device", loader, "-kernel", image, (char *)NULL);
        _exit(127);
    }
    close(in[0]), close(out[1]), close(told[1]);
    meter.to = in[1], meter.from = out[0], meter.told = told[0];
}

/* Moves octets both ways until the client has nothing under way. */
static void run(enum err begun, const char *what)
{
    uint64_t end = now_ms() + PATIENCE_MS;
    if (begun)
        fail("%s: %s", what, err_text(begun));
    while (cosem_client_waiting(&client) || dlms_link_state(&hdlc_line.link) == LINK_CLOSING) {
        uint8_t octets[512];
        size_t n = cosem_client_take(&client, octets, sizeof octets);
        struct pollfd from = {.fd = meter.from, .events = POLLIN};
        if (n > 0 && write(meter.to, octets, n) != (ssize_t)n)
            fail("%s: the meter is gone", what);
        (void)cosem_client_poll(&client, now_ms());
        if (n == 0 && poll(&from, 1, 20) > 0) {
            ssize_t got = read(meter.from, octets, sizeof octets);
            if (got <= 0)
                fail("%s: the meter has ended", what);
            for (size_t used = 0; used < (size_t)got;)
                used += cosem_client_feed(&client, now_ms(), octets + used, (size_t)got - used);
        }
        if (now_ms() > end)
            fail("%s: no end after %d s", what, PATIENCE_MS / 1000);
    }
    if (client.state == CLIENT_FAILED) {
        char why[200];
        cosem_client_explain(&client, why, sizeof why);
        fail("%s: %s", what, why);
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

static void associate(uint16_t sap, bool secure)
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
        fail("configuration of the client");
    run(cosem_client_connect(&client, now_ms()), "association");
}

static struct apdu_attr attr_of(uint16_t class_id, const uint8_t ln[6], uint8_t id)
{
    struct apdu_attr a = {.class_id = class_id, .id = id};
    memcpy(a.ln, ln, sizeof a.ln);
    return a;
}

static void expect(enum cosem_result want, const struct apdu_attr *a, const char *what)
{
    if (result != want)
        fail("%s class %u id %u: %s, not %s", what, a->class_id, a->id, cosem_result_text(result),
             cosem_result_text(want));
}

static struct rd get(const struct apdu_attr *a, enum cosem_result want)
{
    value_len = 0;
    run(cosem_client_get(&client, now_ms(), a, &sink), "GET");
    expect(want, a, "GET");
    return rd_of(value, value_len);
}

static void set(struct apdu_attr a, struct bytes octets, enum cosem_result want)
{
    run(cosem_client_set(&client, now_ms(), &a, octets, &sink), "SET");
    expect(want, &a, "SET");
}

static void act(struct apdu_attr a, enum cosem_result want)
{
    static const uint8_t zero[] = {AXDR_I8, 0};
    a.parameter = (struct bytes){zero, sizeof zero};
    run(cosem_client_action(&client, now_ms(), &a, &sink), "ACTION");
    expect(want, &a, "ACTION");
}

static const uint8_t ln_counter[6] = {0, 0, 43, 1, 0, 255}, ln_register[6] = {1, 0, 1, 8, 0, 255},
                     ln_profile[6] = {1, 0, 99, 1, 0, 255}, ln_clock[6] = {0, 0, 1, 0, 0, 255},
                     ln_association[6] = {0, 0, 40, 0, 0, 255}, ln_hdlc[6] = {0, 0, 22, 0, 0, 255},
                     ln_security[6] = {0, 0, 43, 0, 0, 255};
static const struct {
    const uint8_t *ln;
    uint16_t class_id;
    uint8_t n_attrs;
} objects[] = {{ln_counter, 1, 2},      {ln_register, 3, 3}, {ln_profile, 7, 8},  {ln_clock, 8, 9},
               {ln_association, 15, 9}, {ln_hdlc, 23, 9},    {ln_security, 64, 5}};
#define N_OBJECTS   (sizeof objects / sizeof objects[0])
#define ATTR_SECRET 7 /* of class 15 */

/* The public client sees where the counters stand, and nothing else. */
static void talk_as_public(void)
{
    struct apdu_attr a = attr_of(1, ln_counter, 2);
    associate(16, false);
    struct rd r = get(&a, COSEM_SUCCESS);
    if (axdr_get_uint(&r) != 0 || r.err)
        fail("the counter of a new meter is not 0");
    a = attr_of(3, ln_register, 2);
    (void)get(&a, COSEM_READ_WRITE_DENIED);
    run(cosem_client_release(&client, now_ms()), "release");
}

static void read_all(void)
{
    for (size_t k = 0; k < N_OBJECTS; k++) {
        for (uint8_t id = 1; id <= objects[k].n_attrs; id++) {
            struct apdu_attr a = attr_of(objects[k].class_id, objects[k].ln, id);
            bool secret = a.class_id == 15 && id == ATTR_SECRET;
            struct rd r = get(&a, secret ? COSEM_READ_WRITE_DENIED : COSEM_SUCCESS);
            if (secret)
                continue;
            axdr_skip(&r);
            if (r.err || rd_left(&r) != 0)
                fail("class %u attribute %u is not one value", a.class_id, id);
        }
    }
    struct apdu_attr list = attr_of(15, ln_association, 2);
    struct rd r = get(&list, COSEM_SUCCESS);
    if (axdr_get_array(&r) != N_OBJECTS)
        fail("the object list has not %zu objects", N_OBJECTS);
}

static void set_clock(void)
{
    struct datetime noon = datetime_from_utc(1780315200, 0, 0), told;
    uint8_t octets[16];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = attr_of(8, ln_clock, 2);
    int64_t utc = 0;
    datetime_put(&w, &noon);
    set(a, (struct bytes){octets, w.len}, COSEM_SUCCESS);
    struct rd r = get(&a, COSEM_SUCCESS);
    datetime_get(&r, &told);
    if (r.err || datetime_to_utc(&told, 0, &utc) || utc < 1780315200 || utc > 1780315200 + 60)
        fail("the clock does not show what it was set to");
    static const uint8_t wrong[] = {AXDR_U8, 1};
    set(a, (struct bytes){wrong, sizeof wrong}, COSEM_TYPE_UNMATCHED);
}

static size_t rows_of(struct apdu_attr *a)
{
    struct rd r = get(a, COSEM_SUCCESS);
    size_t n = axdr_get_array(&r);
    for (size_t i = 0; i < n; i++)
        axdr_skip(&r);
    if (r.err || rd_left(&r) != 0)
        fail("the profile is cut");
    return n;
}

/* More captures than it has rows, then the whole, by range and by entry. */
static void read_profile(void)
{
    uint8_t octets[128], from[16], to[16];
    struct apdu_attr a = attr_of(7, ln_profile, 2);
    for (int i = 0; i < ROWS + 4; i++)
        act(attr_of(7, ln_profile, 2), COSEM_SUCCESS);
    if (rows_of(&a) != ROWS)
        fail("the profile has not %d rows", ROWS);
    struct datetime early = datetime_from_utc(1780315200, 0, 0),
                    late = datetime_from_utc(1780315200 + 3600, 0, 0);
    struct wr f = wr_of(from, sizeof from), t = wr_of(to, sizeof to),
              w = wr_of(octets, sizeof octets);
    datetime_put(&f, &early);
    datetime_put(&t, &late);
    const struct profile_range range = {
        .by = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2},
        .from = {from, f.len},
        .to = {to, t.len}};
    profile_put_range(&w, &range);
    a.selector = PROFILE_BY_RANGE;
    a.parameter = (struct bytes){octets, w.len};
    if (rows_of(&a) != ROWS)
        fail("a range over all rows gives others");
    w = wr_of(octets, sizeof octets);
    profile_put_entries(&w, &(struct profile_entries){.from = 3, .to = 5, .from_column = 1});
    a.selector = PROFILE_BY_ENTRY;
    a.parameter = (struct bytes){octets, w.len};
    if (rows_of(&a) != 3)
        fail("entries 3 to 5 are not three");
}

static void talk_as_manager(void)
{
    static const uint8_t period[] = {AXDR_U32, 0, 0, 0, 60};
    associate(1, true);
    read_all();
    set_clock();
    set(attr_of(7, ln_profile, 4), (struct bytes){period, sizeof period}, COSEM_SUCCESS);
    act(attr_of(3, ln_register, 1), COSEM_SUCCESS);
    read_profile();
    run(cosem_client_release(&client, now_ms()), "release");
}

/* The meter's report after each client: "closed stack USED of SIZE lost OCTETS". */
static unsigned long last_report(unsigned n_reports)
{
    char text[4096] = "", *at = text;
    size_t len = 0;
    unsigned long used = 0, size = 0, lost = 0;
    for (unsigned n = 0; n < n_reports;) {
        struct pollfd told = {.fd = meter.told, .events = POLLIN};
        if (len + 1 >= sizeof text || poll(&told, 1, PATIENCE_MS) <= 0)
            fail("the meter does not report its stack; it said: %s", text);
        ssize_t got = read(meter.told, text + len, sizeof text - 1 - len);
        if (got <= 0)
            fail("the meter has ended; it said: %s", text);
        len += (size_t)got;
        text[len] = '\0';
        for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
            n += sscanf(at, "closed stack %lu of %lu lost %lu", &used, &size, &lost) == 3;
    }
    if (used + 256 > size || lost != 0)
        fail("stack %lu of %lu, %lu octets of the line lost", used, size, lost);
    return used;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: dlms_small_client IMAGE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    rng = posix_rng();
    write_keys();
    start_meter(argv[1]);
    talk_as_public();
    talk_as_manager();
    printf("stack %lu\n", last_report(2));
    stop_meter();
    return 0;
}
