/* `ferraris clock`: the meter's time against this machine's, and setting it.
 *
 * --sync sends a time only when the meter is off by more than a second, to the hundredth and with
 * half of the way there and back added: within the meter's shift limit it leaves no mark
 * (docs/TIME.md). */
#include "cli/client_object.h"
#include "cli/client_words.h"

#include "lib/dlms/datetime.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const uint8_t clock_ln[6] = {0, 0, 1, 0, 0, 255};

static double host_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int read_attr(struct link *l, uint8_t id, struct blob *out)
{
    struct apdu_attr attr = {.class_id = 8, .id = id};
    enum cosem_result result = COSEM_OTHER_REASON;
    memcpy(attr.ln, clock_ln, sizeof attr.ln);
    const int code = link_get(l, &attr, out, &result, NULL);
    if (code == LINK_OK && result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "attribute %u of the clock: %s", id,
                        cosem_result_text(result));
    return code;
}

/* The meter's time; an open deviation is taken from its time_zone. */
static int read_time(struct link *l, struct datetime *d)
{
    struct blob value = {0};
    int code = read_attr(l, 2, &value);
    struct rd r = rd_of(value.p, value.len);
    if (code == LINK_OK) {
        datetime_get(&r, d);
        if (r.err || !datetime_complete(d))
            code = cli_fail(l->verb, CLI_BAD_DATA, "the meter's time is not complete");
    }
    if (code == LINK_OK && d->deviation == DATETIME_ANY_DEV) {
        code = read_attr(l, 3, &value);
        r = rd_of(value.p, value.len);
        d->deviation = (int16_t)axdr_get_int(&r);
        if (r.err)
            d->deviation = 0;
    }
    blob_free(&value);
    return code;
}

static int write_time(struct link *l, const struct datetime *d)
{
    uint8_t value[16];
    struct wr w = wr_of(value, sizeof value);
    struct apdu_attr attr = {.class_id = 8, .id = 2};
    enum cosem_result result = COSEM_OTHER_REASON;
    memcpy(attr.ln, clock_ln, sizeof attr.ln);
    datetime_put(&w, d);
    const int code = link_set(l, &attr, (struct bytes){value, w.len}, &result);
    if (code == LINK_OK && result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "the meter refused the time: %s",
                        cosem_result_text(result));
    return code;
}

/* `now`: this machine's time in the meter's present offset, rounded to the second. */
static int set_time(struct link *l, const char *text, const struct datetime *meter)
{
    uint8_t octets[DATETIME_LEN];
    struct datetime d;
    if (strcmp(text, "now") == 0) {
        d = datetime_from_utc((int64_t)(host_now() + 0.5), meter->deviation,
                              meter->status & DATETIME_DST);
        return write_time(l, &d);
    }
    if (!value_parse_time(text, octets) || datetime_decode(octets, &d) != ERR_OK)
        return cli_fail(l->verb, CLI_USAGE, "--set '%s' is neither now nor a time", text);
    return write_time(l, &d);
}

#define IN_STEP_S 1.0

/* The meter's time less this machine's, and how long reading it took. */
static int compare(struct link *l, struct datetime *meter, double *difference_s, double *trip_s)
{
    int64_t utc = 0;
    const double asked = host_now();
    const int code = read_time(l, meter);
    const double told = host_now();
    if (code != LINK_OK)
        return code;
    if (datetime_to_utc(meter, 0, &utc) != ERR_OK)
        return cli_fail(l->verb, CLI_BAD_DATA, "the meter's time is out of range");
    const double fraction = meter->hundredths == DATETIME_ANY ? 0 : meter->hundredths / 100.0;
    *trip_s = told - asked;
    *difference_s = (double)utc + fraction - (asked + told) / 2;
    return code;
}

static int sync_time(struct link *l)
{
    struct datetime d;
    double difference_s = 0, trip_s = 0;
    const int code = compare(l, &d, &difference_s, &trip_s);
    if (code != LINK_OK)
        return code;
    const bool invalid = (d.status & DATETIME_INVALID) != 0 && d.status != DATETIME_STATUS_ANY;
    if (fabs(difference_s) <= IN_STEP_S && !invalid)
        return LINK_OK;
    const int64_t hundredths = (int64_t)((host_now() + trip_s / 2) * 100 + 0.5);
    d = datetime_from_utc(hundredths / 100, d.deviation, d.status & DATETIME_DST);
    d.hundredths = (uint8_t)(hundredths % 100);
    return write_time(l, &d);
}

static int show(struct link *l, const struct datetime *meter, double host, bool json)
{
    char meter_text[DATETIME_TEXT], host_text[DATETIME_TEXT];
    int64_t utc = 0;
    if (datetime_to_utc(meter, 0, &utc) != ERR_OK)
        return cli_fail(l->verb, CLI_BAD_DATA, "the meter's time is out of range");
    struct datetime here = datetime_from_utc((int64_t)host, meter->deviation, DATETIME_STATUS_ANY);
    here.hundredths = DATETIME_ANY;
    datetime_text(meter, meter_text);
    datetime_text(&here, host_text);
    const double fraction = meter->hundredths == DATETIME_ANY ? 0 : meter->hundredths / 100.0;
    const double difference = (double)utc + fraction - host;
    if (json) {
        json_t *out = json_pack("{s:s, s:s, s:f, s:i}", "meter", meter_text, "host", host_text,
                                "difference_s", difference, "status", meter->status);
        value_print_json(out, stdout);
        json_decref(out);
    } else {
        printf("meter       %s%s\nhost        %s\ndifference  %+.1f s\n", meter_text,
               (meter->status & DATETIME_INVALID) != 0 && meter->status != DATETIME_STATUS_ANY
                   ? " (invalid)"
                   : "",
               host_text, difference);
    }
    return CLI_DONE;
}

static int clock_run(struct link *l, const char *set, bool sync, bool json)
{
    struct datetime meter;
    int code = sync ? sync_time(l) : LINK_OK;
    if (code == LINK_OK)
        code = read_time(l, &meter);
    if (code == LINK_OK && set != NULL) {
        code = set_time(l, set, &meter);
        if (code == LINK_OK)
            code = read_time(l, &meter);
    }
    return code == LINK_OK ? show(l, &meter, host_now(), json) : code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    const char *set = NULL;
    bool json = false, sync = false;
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"set", CLI_TEXT, &set, "now|TIME", "set the clock, then show it"},
        {"sync", CLI_FLAG, &sync, NULL,
         "set it to this machine's when it is off by more than a second, then show it"},
        {"json", CLI_FLAG, &json, NULL, "one JSON document on stdout"}};
    const char *words[1];
    uint8_t octets[DATETIME_LEN];
    struct link l;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n != 1)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    if (set != NULL && sync)
        return cli_fail(v, CLI_USAGE, "--set or --sync, not both");
    if (set != NULL && strcmp(set, "now") != 0 && !value_parse_time(set, octets))
        return cli_fail(v, CLI_USAGE, "--set '%s' is neither now nor a time like 2026-03-29T03:15",
                        set);
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = clock_run(&l, set, sync, json);
    link_close(&l);
    return code;
}

const struct cli_verb verb_clock = {
    .name = "clock",
    .summary = "compare a meter's clock with this machine's, and set it",
    .usage = "ferraris clock [OPTION]... URL",
    .example = "ferraris clock tcp://127.0.0.1:4059\n"
               "ferraris clock --auth hls5 --keys meter.keys --set now tcp://127.0.0.1:4059\n"
               "ferraris clock --auth hls5 --keys meter.keys --sync tcp://127.0.0.1:4059",
    .words = LINK_WORDS,
    .run = run,
};
