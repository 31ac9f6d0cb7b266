/* A profile of 100 days and 16 channels leaves through a PDU of 256 octets, plain and ciphered,
 * with memory for one row and one PDU, in work that grows with the rows and no faster. */
#include "tests/lib/cosem/example.h"

#include "lib/cosem/profile_select.h"
#include "lib/dlms/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct example x;
static struct peer p;
static struct acse_aare aare;
static uint8_t out[5 + EXAMPLE_ROWS * (size_t)EXAMPLE_ROW_SIZE + 1];
static size_t len;
static unsigned n_blocks;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static void connect_with(uint16_t sap, uint16_t max_pdu)
{
    peer_init(&p, &x, sap);
    p.max_pdu = max_pdu;
    p.counter = x.server.rx_floor[2] + 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

/* Row k of what came, checked octet by octet where it matters. */
static void check_rows(uint32_t first, uint32_t n)
{
    struct rd r = rd_of(out, len);
    assert_int_equal(axdr_get_array(&r), n);
    for (uint32_t k = first; k < first + n; k++) {
        struct datetime d;
        int64_t utc;
        axdr_get_struct(&r, 2 + EXAMPLE_CHANNELS);
        datetime_get(&r, &d);
        assert_int_equal(datetime_to_utc(&d, 0, &utc), ERR_OK);
        assert_int_equal(utc, EXAMPLE_EPOCH + (int64_t)k * 900);
        assert_int_equal(axdr_get_uint(&r), 0);
        for (uint32_t c = 0; c < EXAMPLE_CHANNELS; c++)
            assert_int_equal(axdr_get_uint(&r), k * 1000 + c);
    }
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_left(&r), 0);
}

static int get(const struct cosem_select *sel)
{
    return peer_get(&p, 7, example_profile, 2, sel, out, sizeof out, &len, &n_blocks);
}

static void whole_profile_leaves_by_blocks(uint16_t sap)
{
    connect_with(sap, 256);
    x.n_get = 0;
    assert_int_equal(get(NULL), 0);
    check_rows(0, EXAMPLE_ROWS);
    assert_int_equal(x.n_get, EXAMPLE_ROWS + 1); /* each row generated once */
    assert_true(n_blocks > len / 256);
    assert_true(EXAMPLE_ROW_SIZE < COSEM_ITEM_MAX && len > 50 * sizeof x.session);
    print_message("%zu octets in %u blocks, session of %zu octets\n", len, n_blocks,
                  sizeof x.session);
}

static void profile_leaves_plain_through_256_octets(void **state)
{
    (void)state;
    whole_profile_leaves_by_blocks(SAP_READER);
}

static void profile_leaves_ciphered_through_256_octets(void **state)
{
    (void)state;
    whole_profile_leaves_by_blocks(SAP_MANAGER);
}

static void profile_is_the_same_through_any_pdu(void **state)
{
    (void)state;
    x.rows = 50;
    for (uint16_t pdu = COSEM_PDU_MIN; pdu < 420; pdu++) { /* every way to cut items and lengths */
        connect_with(pdu % 2 ? SAP_READER : SAP_MANAGER, pdu);
        assert_int_equal(get(NULL), 0);
        check_rows(0, 50);
    }
    connect_with(SAP_READER, 2048);
    x.rows = 20;
    assert_int_equal(get(NULL), 0);
    assert_int_equal(n_blocks, 0);
    check_rows(0, 20);
    for (x.rows = 0; x.rows < 3; x.rows++) { /* answers around the size of one APDU */
        for (uint16_t pdu = EXAMPLE_ROW_SIZE; pdu < EXAMPLE_ROW_SIZE + 24; pdu++) {
            connect_with(SAP_READER, pdu);
            assert_int_equal(get(NULL), 0);
            check_rows(0, x.rows);
        }
    }
}

/* Seconds for one row of one read. */
static double time_per_row(uint32_t rows)
{
    struct timespec a, b;
    x.rows = rows;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    assert_int_equal(get(NULL), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    return ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / rows;
}

/* Other work shares the machine and slows one read or another, never all of many: the fastest of
 * each length count, read in turns until they agree. Work that grew with the square of the rows
 * would make the long ones four times as slow in each turn. */
static void profile_work_is_linear(void **state)
{
    double few = 1, many = 1;
    unsigned turns = 0;
    (void)state;
    connect_with(SAP_READER, 256);
    do {
        const double short_one = time_per_row(2400), long_one = time_per_row(9600);
        few = short_one < few ? short_one : few;
        many = long_one < many ? long_one : many;
        turns++;
    } while (turns < 4 || (turns < 60 && (many > few * 1.3 || few > many * 1.3)));
    print_message("2400 rows %.0f ns a row, 9600 rows %.0f ns a row, %u turns\n", few * 1e9,
                  many * 1e9, turns);
    assert_true(many < few * 1.3 && few < many * 1.3);
}

static struct cosem_select by_range(uint8_t *buf, size_t size, int64_t from, int64_t to)
{
    uint8_t a[16], b[16];
    struct profile_range range = {.by = {8, {0, 0, 1, 0, 0, 255}, 2, 0}};
    struct datetime d = datetime_from_utc(from, -60, 0);
    struct wr w = wr_of(a, sizeof a);
    datetime_put(&w, &d);
    range.from = (struct bytes){a, w.len};
    d = datetime_from_utc(to, -60, 0);
    w = wr_of(b, sizeof b);
    datetime_put(&w, &d);
    range.to = (struct bytes){b, w.len};
    w = wr_of(buf, size);
    profile_put_range(&w, &range);
    return (struct cosem_select){PROFILE_BY_RANGE, {buf, w.len}};
}

static void profile_is_read_by_range_and_entry(void **state)
{
    uint8_t buf[128];
    (void)state;
    connect_with(SAP_MANAGER, 256);
    struct cosem_select sel =
        by_range(buf, sizeof buf, EXAMPLE_EPOCH + 900 * 96, EXAMPLE_EPOCH + 900 * 192);
    assert_int_equal(get(&sel), 0);
    check_rows(96, 97); /* both ends belong to it */
    sel = by_range(buf, sizeof buf, EXAMPLE_EPOCH + 1, EXAMPLE_EPOCH + 2);
    assert_int_equal(get(&sel), 0);
    check_rows(1, 0); /* nothing there: an empty array */
    struct profile_entries entries = {.from = 9598, .to = 0};
    struct wr w = wr_of(buf, sizeof buf);
    profile_put_entries(&w, &entries);
    sel = (struct cosem_select){PROFILE_BY_ENTRY, {buf, w.len}};
    assert_int_equal(get(&sel), 0);
    check_rows(9597, 3);
    sel.selector = 3;
    assert_int_equal(get(&sel), COSEM_SCOPE_OF_ACCESS_VIOLATED);
    sel.selector = PROFILE_BY_RANGE; /* an entry descriptor under the wrong number */
    assert_int_equal(get(&sel), COSEM_TYPE_UNMATCHED);
}

static void profile_stops_when_it_is_not_durable(void **state)
{
    struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                             .type = DLMS_GET_NORMAL,
                             .invoke = 0xC1,
                             .target = {.class_id = 7, .id = 2}};
    (void)state;
    connect_with(SAP_READER, 256);
    memcpy(q.target.ln, example_profile, 6);
    assert_int_equal(peer_request(&p, &q).p[1], DLMS_GETRES_BLOCK);
    x.tell = ERR_IO;
    q.type = DLMS_GET_NEXT;
    q.block = 1;
    struct bytes b = peer_request(&p, &q);
    assert_int_equal(b.len, 10);
    assert_memory_equal(b.p, "\xC4\x02\xC1\x01\x00\x00\x00\x02\x01\x02", 10);
    x.tell = ERR_OK;
    q.block = 2;
    b = peer_request(&p, &q);
    assert_int_equal(b.p[9], COSEM_NO_LONG_GET_IN_PROGRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(profile_leaves_plain_through_256_octets, start),
        cmocka_unit_test_setup(profile_leaves_ciphered_through_256_octets, start),
        cmocka_unit_test_setup(profile_is_the_same_through_any_pdu, start),
        cmocka_unit_test_setup(profile_work_is_linear, start),
        cmocka_unit_test_setup(profile_is_read_by_range_and_entry, start),
        cmocka_unit_test_setup(profile_stops_when_it_is_not_durable, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
