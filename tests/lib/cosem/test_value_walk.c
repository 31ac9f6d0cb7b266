/* The walk over values that come in pieces: what is handed on, in which order, and what is refused.
 */
#include "lib/cosem/value_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

/* The parts as text: "depth:tag[index]=n" or "end". */
static char heard[2000];
static unsigned n_rows; /* structures at depth 1 */
static uint8_t content[VALUE_WALK_CONTENT_MAX];
static size_t content_len;

static enum err take(void *context, const struct value_part *part)
{
    char one[80];
    const unsigned at = part->depth > 0 ? part->index[part->depth - 1] : 0;
    (void)context;
    snprintf(one, sizeof one, "%u:%u[%u]%s=%u ", part->depth, part->tag, at, part->end ? "end" : "",
             part->n);
    if (strlen(heard) + strlen(one) < sizeof heard)
        strcat(heard, one);
    n_rows += part->depth == 1 && part->tag == AXDR_STRUCT && part->end;
    content_len = part->content.len;
    if (content_len > 0)
        memcpy(content, part->content.p, content_len);
    return part->tag == AXDR_F64 ? ERR_TYPE : ERR_OK;
}

static const struct value_walk_sink sink = {.part = take};

/* In pieces of `piece` octets. */
static enum err walk(const uint8_t *p, size_t n, size_t piece, bool *complete)
{
    struct value_walk w;
    enum err err = ERR_OK;
    heard[0] = '\0';
    n_rows = 0;
    value_walk_init(&w);
    for (size_t at = 0; at < n && !err; at += piece)
        err = value_walk_feed(&w, (struct bytes){p + at, n - at < piece ? n - at : piece}, &sink);
    *complete = value_walk_complete(&w);
    return err;
}

static void expect(const char *hex, enum err err, bool complete, const char *parts)
{
    uint8_t octets[600];
    const size_t n = hex_octets(hex, octets, sizeof octets);
    for (size_t piece = 1; piece <= n; piece++) {
        bool done;
        assert_int_equal(walk(octets, n, piece, &done), err);
        assert_int_equal(done, complete);
        assert_string_equal(heard, parts);
    }
}

static void walk_hands_on_simple_values_when_complete(void **state)
{
    (void)state;
    expect("00", ERR_OK, true, "0:0[0]=0 ");
    expect("06 00000102", ERR_OK, true, "0:6[0]=4 ");
    expect("09 03 010203", ERR_OK, true, "0:9[0]=3 ");
    expect("09 82 0003 010203", ERR_OK, true, "0:9[0]=3 ");
    expect("04 09 FF80", ERR_OK, true, "0:4[0]=9 ");
    assert_int_equal(content_len, 2);
    expect("09 00", ERR_OK, true, "0:9[0]=0 ");
    expect("06 000001", ERR_OK, false, "");
}

static void walk_says_places_when_values_are_nested(void **state)
{
    (void)state;
    expect("01 02 02 02 11 05 00 02 01 0F 07", ERR_OK, true,
           "0:1[0]=2 1:2[0]=2 2:17[0]=1 2:0[1]=0 1:2[0]end=2 1:2[1]=1 2:15[0]=1 1:2[1]end=1 "
           "0:1[0]end=2 ");
    expect("02 02 01 00 11 01", ERR_OK, true,
           "0:2[0]=2 1:1[0]=0 1:1[0]end=0 1:17[1]=1 0:2[0]end=2 ");
    expect("01 00", ERR_OK, true, "0:1[0]=0 0:1[0]end=0 ");
}

static void walk_keeps_first_octets_when_content_is_long(void **state)
{
    (void)state;
    uint8_t octets[3 + 200] = {AXDR_OCTETS, 0x81, 200};
    bool done;
    for (size_t i = 0; i < 200; i++)
        octets[3 + i] = (uint8_t)i;
    assert_int_equal(walk(octets, sizeof octets, 7, &done), ERR_OK);
    assert_true(done);
    assert_string_equal(heard, "0:9[0]=200 ");
    assert_int_equal(content_len, VALUE_WALK_CONTENT_MAX);
    assert_memory_equal(content, octets + 3, content_len);
}

static void walk_refuses_when_octets_are_hostile(void **state)
{
    (void)state;
    expect("07", ERR_FORMAT, false, "");
    expect("FF", ERR_FORMAT, false, "");
    expect("13 00", ERR_UNSUPPORTED, false, "");
    expect("09 80", ERR_FORMAT, false, "");
    expect("09 85 0000000001", ERR_FORMAT, false, "");
    expect("00 00", ERR_FORMAT, false, "0:0[0]=0 ");
    expect("18 0000000000000000", ERR_TYPE, false, "0:24[0]=8 ");
    uint8_t deep[2 * (AXDR_DEPTH_MAX + 1)];
    bool done;
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = 1;
    assert_int_equal(walk(deep, sizeof deep, 1, &done), ERR_DEPTH);
    deep[sizeof deep - 1] = 0; /* an innermost one without elements takes no level */
    assert_int_equal(walk(deep, sizeof deep, 1, &done), ERR_OK);
    assert_true(done);
    assert_int_equal(walk(deep, sizeof deep - 2, 1, &done), ERR_OK);
}

static void walk_stays_failed_when_fed_on(void **state)
{
    (void)state;
    struct value_walk w;
    const uint8_t good[] = {0x00}, bad[] = {0x07};
    value_walk_init(&w);
    assert_int_equal(value_walk_feed(&w, (struct bytes){bad, 1}, &sink), ERR_FORMAT);
    assert_int_equal(value_walk_feed(&w, (struct bytes){good, 1}, &sink), ERR_FORMAT);
    assert_false(value_walk_complete(&w));
}

static int64_t number(const char *hex, bool *good)
{
    uint8_t octets[10];
    const size_t n = hex_octets(hex, octets, sizeof octets);
    const struct value_part part = {
        .tag = octets[0], .n = (uint32_t)n - 1, .content = {octets + 1, n - 1}};
    int64_t v = 0;
    *good = value_part_int(&part, &v);
    return v;
}

static void part_is_an_integer_when_it_fits_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool good;
        int64_t v;
    } row[] = {
        {"0F FE", true, -2},
        {"10 8000", true, -32768},
        {"05 FFFFFFFF", true, -1},
        {"14 8000000000000000", true, INT64_MIN},
        {"11 FF", true, 255},
        {"12 FFFF", true, 65535},
        {"06 FFFFFFFF", true, 4294967295},
        {"15 7FFFFFFFFFFFFFFF", true, INT64_MAX},
        {"16 1E", true, 30},
        {"15 8000000000000000", false, 0},
        {"17 3F800000", false, 0},
        {"03 01", false, 0},
        {"09 01", false, 0},
        {"00", false, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        bool good;
        const int64_t v = number(row[i].hex, &good);
        assert_int_equal(good, row[i].good);
        if (good)
            assert_true(v == row[i].v);
    }
}

static void walk_finds_every_object_when_list_is_of_a_real_meter(void **state)
{
    (void)state;
    static const char path[] =
        SHARED_DIR "/vectors/object-lists/kamstrup_association_object_list_get_response.txt";
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        print_message("no recorded object list, case skipped\n");
    if (f == NULL)
        skip();
    char *text = calloc(1, 20000);
    uint8_t *octets = malloc(10000);
    size_t len = fread(text, 1, 19999, f), n = 0;
    fclose(f);
    for (const char *at = text; *at != '\0'; at++) { /* lines */
        if (*at != '\n' && *at != '\r')
            text[n++] = *at;
    }
    text[n] = '\0';
    assert_true(len > 0);
    n = hex_octets(text, octets, 10000);
    for (size_t piece = 1; piece < 200; piece += 13) {
        bool done;
        assert_int_equal(walk(octets, n, piece, &done), ERR_OK);
        assert_true(done);
        assert_int_equal(n_rows, 123);
    }
    free(octets);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_hands_on_simple_values_when_complete),
        cmocka_unit_test(walk_says_places_when_values_are_nested),
        cmocka_unit_test(walk_keeps_first_octets_when_content_is_long),
        cmocka_unit_test(walk_refuses_when_octets_are_hostile),
        cmocka_unit_test(walk_stays_failed_when_fed_on),
        cmocka_unit_test(part_is_an_integer_when_it_fits_64_bits),
        cmocka_unit_test(walk_finds_every_object_when_list_is_of_a_real_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
