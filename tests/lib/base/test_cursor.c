/* Cursors: values, the bound, the first error, lengths, and the helpers for secrets. */
#include "lib/base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t octets[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                 0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC};

static void rd_reads_big_endian(void **state)
{
    (void)state;
    struct rd r = rd_of(octets, sizeof octets);
    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x2345);
    assert_int_equal(rd_u32(&r), 0x6789ABCD);
    assert_int_equal(rd_left(&r), 8);
    assert_true(rd_u64(&r) == UINT64_C(0xEF1032547698BADC));
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_left(&r), 0);
}

static void rd_keeps_the_first_error_and_its_place(void **state)
{
    (void)state;
    struct rd r = rd_of(octets, 5);
    rd_u32(&r);
    assert_int_equal(rd_u16(&r), 0);
    assert_int_equal(r.err, ERR_TRUNCATED);
    assert_int_equal(r.err_pos, 4);
    assert_int_equal(r.pos, 4);
    assert_int_equal(rd_u8(&r), 0); /* it would fit, but the reader has stopped */
    assert_int_equal(rd_left(&r), 0);
    rd_fail(&r, ERR_TYPE);
    assert_int_equal(r.err, ERR_TRUNCATED);
}

static void rd_bytes_borrows_and_copy_zeroes_on_error(void **state)
{
    (void)state;
    uint8_t to[4] = {1, 1, 1, 1};
    struct rd r = rd_of(octets, 6);
    struct bytes view = rd_bytes(&r, 2);
    assert_ptr_equal(view.p, octets);
    assert_int_equal(view.len, 2);
    rd_copy(&r, to, 4);
    assert_memory_equal(to, octets + 2, 4);
    rd_copy(&r, to, 4);
    assert_memory_equal(to, "\0\0\0\0", 4);
    view = rd_bytes(&r, SIZE_MAX);
    assert_null(view.p);
    assert_int_equal(view.len, 0);
    r = rd_of(octets, 6);
    view = rd_bytes(&r, SIZE_MAX); /* no sum of lengths to wrap */
    assert_null(view.p);
    assert_int_equal(r.err, ERR_TRUNCATED);
}

static void rd_takes_no_input_at_all(void **state)
{
    (void)state;
    struct rd r = rd_of(NULL, 0);
    assert_int_equal(rd_bytes(&r, 0).len, 0);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(r.err, ERR_TRUNCATED);
}

static void length_is_shortest_and_comes_back(void **state)
{
    (void)state;
    const struct {
        size_t n, octets;
    } cases[] = {{0, 1},      {0x7F, 1},    {0x80, 2},     {0xFF, 2},      {0x100, 3},
                 {0xFFFF, 3}, {0x10000, 4}, {0xFFFFFF, 4}, {0x1000000, 5}, {0xFFFFFFFF, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t buffer[8];
        struct wr w = wr_of(buffer, sizeof buffer);
        wr_length(&w, cases[i].n);
        assert_int_equal(w.len, cases[i].octets);
        struct rd r = rd_of(buffer, w.len);
        assert_int_equal(rd_length(&r), cases[i].n);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(rd_left(&r), 0);
    }
}

static void length_is_refused_when_malformed(void **state)
{
    (void)state;
    const uint8_t indefinite[] = {0, 0x80}, five[] = {0, 0x85, 0, 0, 0, 0, 1}, cut[] = {0x82, 1};
    struct rd r = rd_of(indefinite, sizeof indefinite);
    rd_u8(&r);
    assert_int_equal(rd_length(&r), 0);
    assert_int_equal(r.err, ERR_FORMAT);
    assert_int_equal(r.err_pos, 1);
    r = rd_of(five, sizeof five);
    rd_u8(&r);
    rd_length(&r);
    assert_int_equal(r.err, ERR_FORMAT);
    r = rd_of(cut, sizeof cut);
    assert_int_equal(rd_length(&r), 0);
    assert_int_equal(r.err, ERR_TRUNCATED);
    struct wr w = wr_counter();
    wr_length(&w, (size_t)UINT32_MAX + 1);
    assert_int_equal(w.err, ERR_RANGE);
}

static void wr_writes_what_rd_reads(void **state)
{
    (void)state;
    uint8_t buffer[sizeof octets];
    struct wr w = wr_of(buffer, sizeof buffer);
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x2345);
    wr_u32(&w, 0x6789ABCD);
    wr_u64(&w, UINT64_C(0xEF1032547698BADC));
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(wr_left(&w), 0);
    assert_memory_equal(buffer, octets, sizeof octets);
}

static void wr_writes_nothing_after_it_was_full(void **state)
{
    (void)state;
    uint8_t buffer[4] = {9, 9, 9, 9};
    struct wr w = wr_of(buffer, 3);
    wr_u16(&w, 0x0102);
    wr_u16(&w, 0x0304);
    wr_u8(&w, 5);
    assert_int_equal(w.err, ERR_FULL);
    assert_int_equal(w.len, 2);
    assert_int_equal(wr_left(&w), 0);
    assert_memory_equal(buffer, "\1\2\11\11", 4);
    wr_fail(&w, ERR_TYPE);
    assert_int_equal(w.err, ERR_FULL);
}

static void wr_only_counts_without_a_buffer(void **state)
{
    (void)state;
    struct wr w = wr_counter();
    wr_u32(&w, 1);
    wr_bytes(&w, octets, sizeof octets);
    assert_int_equal(w.len, 4 + sizeof octets);
    assert_int_equal(w.err, ERR_OK);
}

static void ct_equal_sees_every_bit(void **state)
{
    (void)state;
    uint8_t copy[sizeof octets];
    memcpy(copy, octets, sizeof octets);
    assert_true(ct_equal(copy, octets, sizeof octets));
    for (size_t bit = 0; bit < 8 * sizeof octets; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ct_equal(copy, octets, sizeof octets));
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(ct_equal(NULL, NULL, 0));
}

static void wipe_clears_exactly_the_secret(void **state)
{
    (void)state;
    uint8_t secret[4] = {1, 2, 3, 4};
    wipe(secret + 1, 2);
    assert_memory_equal(secret, "\1\0\0\4", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rd_reads_big_endian),
        cmocka_unit_test(rd_keeps_the_first_error_and_its_place),
        cmocka_unit_test(rd_bytes_borrows_and_copy_zeroes_on_error),
        cmocka_unit_test(rd_takes_no_input_at_all),
        cmocka_unit_test(length_is_shortest_and_comes_back),
        cmocka_unit_test(length_is_refused_when_malformed),
        cmocka_unit_test(wr_writes_what_rd_reads),
        cmocka_unit_test(wr_writes_nothing_after_it_was_full),
        cmocka_unit_test(wr_only_counts_without_a_buffer),
        cmocka_unit_test(ct_equal_sees_every_bit),
        cmocka_unit_test(wipe_clears_exactly_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
