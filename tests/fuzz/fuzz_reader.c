/* Fuzz target of the head-end's reader: the input is what a meter answers to one whole reading.
 *
 * Answers one after the other: an octet for the kind (a value, a list, a block, a raw APDU), a
 * length, and the octets. The reader ends in a known state, brings no more than its objects hold,
 * says why it failed, and the line cut into single octets brings the same. */
#include "headend/collect/reader.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t aare[] = {0x61, 0x29, 0xA1, 0x09, 0x06, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08,
                               0x01, 0x01, 0xA2, 0x03, 0x02, 0x01, 0x00, 0xA3, 0x05, 0xA1, 0x03,
                               0x02, 0x01, 0x00, 0xBE, 0x10, 0x04, 0x0E, 0x08, 0x00, 0x06, 0x5F,
                               0x1F, 0x04, 0x00, 0x00, 0x1E, 0x1D, 0x04, 0xC8, 0x00, 0x07};

struct result {
    struct reader reader;
    struct reader_objects objects;
    uint64_t digest;
    unsigned n_identified, n_values, n_rows, n_ends;
};

static void digest(struct result *r, uint64_t v)
{
    r->digest = (r->digest ^ v) * UINT64_C(0x100000001B3);
}

static void on_identified(void *context, const struct reader_objects *o)
{
    struct result *r = context;
    r->n_identified++;
    CHECK(o->known && o->n_registers <= READER_REGISTERS_MAX &&
          o->n_profiles <= READER_PROFILES_MAX);
    CHECK(memchr(o->device_name, 0, READER_TEXT_MAX) && memchr(o->serial, 0, READER_TEXT_MAX));
    for (size_t i = 0; i < o->n_profiles; i++)
        CHECK(o->profile[i].n_columns <= PROFILE_ROWS_COLUMNS_MAX);
}

static void on_clock(void *context, int64_t utc_s, int16_t deviation_min, bool valid)
{
    digest(context, (uint64_t)utc_s + (uint64_t)deviation_min + valid);
}

static int64_t utc_ms(void *context)
{
    (void)context;
    return INT64_C(1750000000000);
}

static void on_clock_set(void *context, int64_t off_ms, enum cosem_result result)
{
    digest(context, (uint64_t)off_ms + result);
}

static void on_value(void *context, size_t reg, enum cosem_result result, int64_t raw)
{
    struct result *r = context;
    CHECK(reg == r->n_values && reg < r->objects.n_registers);
    r->n_values++;
    digest(r, (uint64_t)raw + result);
}

static bool on_row(void *context, size_t profile, const struct profile_row *row)
{
    struct result *r = context;
    CHECK(profile == r->n_ends && profile < r->objects.n_profiles);
    r->n_rows++;
    digest(r, (uint64_t)row->stamp_s ^ (uint64_t)row->value[0]);
    return true;
}

static void on_end(void *context, size_t profile, enum cosem_result result, uint32_t n_rows)
{
    struct result *r = context;
    CHECK(profile == r->n_ends && n_rows <= r->n_rows);
    r->n_ends++;
    digest(r, result);
}

static int64_t from_s(void *context, size_t profile, int64_t meter_now_s)
{
    (void)context;
    return profile % 2 == 0 ? meter_now_s : INT64_MIN;
}

static void feed(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    for (size_t at = 0; at < n;) {
        const size_t give = n - at < piece ? n - at : piece;
        const size_t used = reader_feed(&r->reader, 0, p + at, give);
        CHECK(used <= give);
        if (used == 0) /* the next request waits, or it is over */
            return;
        at += used;
    }
}

/* The answer of this kind to the request, in a frame. */
static size_t frame(uint8_t *out, size_t size, const uint8_t *request, const uint8_t *p, size_t n)
{
    struct wr w = wr_of(out, size);
    const uint8_t kind = p[0] & 3, invoke = request[2];
    w.len = WRAPPER_HEAD_LEN;
    if (kind < 3) {
        wr_u8(&w, DLMS_GET_RESPONSE);
        wr_u8(&w, kind == 0   ? DLMS_GETRES_NORMAL
                  : kind == 1 ? DLMS_GETRES_LIST
                              : DLMS_GETRES_BLOCK);
        wr_u8(&w, invoke);
    }
    if (kind == 0)
        wr_u8(&w, p[0] >> 7);
    if (kind == 1)
        wr_u8(&w, request[3]);
    if (kind == 2) {
        wr_u8(&w, p[0] >> 7);
        wr_u32(&w, request[1] == DLMS_GET_NEXT ? (uint32_t)request[6] + 1 : 1);
        wr_u8(&w, 0);
        wr_length(&w, n - 1);
    }
    wr_bytes(&w, p + 1, n - 1);
    struct wr head = wr_of(out, WRAPPER_HEAD_LEN);
    wrapper_put_head(&head, 1, 16, (uint16_t)(w.len - WRAPPER_HEAD_LEN));
    CHECK(w.err == ERR_OK && head.err == ERR_OK);
    return w.len;
}

static void run(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    const struct cosem_client_config k = {.client_sap = 16, .server_sap = 1};
    const struct reader_plan plan = {.want = READER_IDENTIFY | READER_REGISTERS | READER_PROFILES,
                                     .objects = &r->objects,
                                     .from_s = from_s,
                                     .utc_ms = utc_ms,
                                     .clock_from_s = 2,
                                     .clock_to_s = 86400};
    const struct reader_sink sink = {.context = r,
                                     .identified = on_identified,
                                     .clock = on_clock,
                                     .clock_set = on_clock_set,
                                     .value = on_value,
                                     .row = on_row,
                                     .profile_end = on_end};
    uint8_t request[4096], reply[1024];
    size_t at = 0, len;
    memset(r, 0, sizeof *r);
    CHECK(reader_init(&r->reader, &k) == ERR_OK);
    CHECK(reader_begin(&r->reader, 0, &plan, &sink) == ERR_OK);
    while ((len = reader_take(&r->reader, request, sizeof request)) > 0) {
        const uint8_t *apdu = request + WRAPPER_HEAD_LEN;
        CHECK(len > WRAPPER_HEAD_LEN + 4);
        if (apdu[0] == DLMS_AARQ) {
            struct wr head = wr_of(reply, WRAPPER_HEAD_LEN);
            wrapper_put_head(&head, 1, 16, sizeof aare);
            memcpy(reply + WRAPPER_HEAD_LEN, aare, sizeof aare);
            feed(r, reply, WRAPPER_HEAD_LEN + sizeof aare, piece);
            continue;
        }
        if (at + 2 >= n)
            break;
        const size_t want = 1u + p[at + 1], give = want < n - at - 1 ? want : n - at - 1;
        uint8_t answer[257];
        answer[0] = p[at];
        memcpy(answer + 1, p + at + 2, give - 1);
        feed(r, reply, frame(reply, sizeof reply, apdu, answer, give), piece);
        at += 1 + give;
    }
    reader_lost(&r->reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, single;
    run(&whole, data, size, SIZE_MAX);
    run(&single, data, size, 1);
    CHECK(whole.reader.state == READER_FAILED || whole.reader.state == READER_DONE);
    CHECK((whole.reader.state == READER_FAILED) == (whole.reader.failure[0] != '\0'));
    CHECK(whole.reader.state == single.reader.state && whole.digest == single.digest);
    CHECK(whole.n_values == single.n_values && whole.n_rows == single.n_rows);
    CHECK(strcmp(whole.reader.failure, single.reader.failure) == 0);
    return 0;
}
