/* Hexadecimal digits both ways, and every character that is none. */
#include "lib/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void hex_comes_back_in_either_case(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    char text[2 * sizeof all + 1];
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    text[2 * sizeof all] = '!';
    hex_encode(all, sizeof all, text);
    assert_memory_equal(text + 2 * 0x9F, "9fa0a1", 6);
    assert_int_equal(text[2 * sizeof all], '!');
    assert_true(hex_decode(text, back, sizeof back));
    assert_memory_equal(back, all, sizeof all);
    assert_true(hex_decode("DEADbeef!", back, 4));
    assert_memory_equal(back, "\xDE\xAD\xBE\xEF", 4);
    assert_true(hex_decode("", back, 0));
}

static void hex_refuses_what_is_no_digit(void **state)
{
    (void)state;
    unsigned n = 0;
    for (unsigned c = 0; c < 256; c++) {
        const char high[2] = {(char)c, '0'}, low[2] = {'0', (char)c};
        uint8_t octet;
        const bool good = hex_decode(high, &octet, 1);
        assert_int_equal(hex_decode(low, &octet, 1), good);
        n += good;
    }
    assert_int_equal(n, 22);
    uint8_t two[2];
    assert_false(hex_decode("12", two, 2)); /* nothing is read behind its end */
    assert_false(hex_decode("123", two, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_comes_back_in_either_case),
        cmocka_unit_test(hex_refuses_what_is_no_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
