/* UTF-8 sequences against an encoder written the other way round, and the edges of table 3-7. */
#include "lib/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t encode(uint32_t c, uint8_t to[4])
{
    const size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3F));
    to[0] = (uint8_t)(len == 1 ? c : (0xF00u >> len & 0xFF) | c);
    return len;
}

static void utf8_takes_every_character(void **state)
{
    (void)state;
    uint8_t p[4];
    for (uint32_t c = 0; c < 0x110000; c++) {
        const size_t len = encode(c, p);
        assert_int_equal(utf8_sequence(p, len), c >= 0xD800 && c < 0xE000 ? 0 : len);
        assert_int_equal(len > 1 ? utf8_sequence(p, len - 1) : 0, 0);
    }
}

/* Of two octets all there are; of more the ones at the edges. */
static void utf8_refuses_everything_else(void **state)
{
    (void)state;
    for (unsigned a = 0x80; a < 0x100; a++)
        for (unsigned b = 0; b < 0x100; b++) {
            const uint8_t p[2] = {(uint8_t)a, (uint8_t)b};
            const size_t want = a >= 0xC2 && a < 0xE0 && b >= 0x80 && b < 0xC0 ? 2 : 0;
            assert_int_equal(utf8_sequence(p, 2), want);
        }
    static const char *const bad[] = {"\xE0\x9F\xBF",     "\xED\xA0\x80",     "\xEF\xBF\x7F",
                                      "\xEF\x7F\xBF",     "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80", "\xF1\x80\x80\xC0", "\xF1\x80\xC0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(utf8_sequence(bad[i], strlen(bad[i])), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_takes_every_character),
        cmocka_unit_test(utf8_refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
