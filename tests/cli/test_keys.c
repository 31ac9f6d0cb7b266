/* The keys file and the client's counters beside it: form, permissions, no number twice. */
#include "cli/keys_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[96], state_path[112], error[640];
static struct keys_file keys;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/ferraris-keys-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/keys", dir);
    snprintf(state_path, sizeof state_path, "%s.state", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(state_path);
    unlink(path);
    return rmdir(dir);
}

static void write_keys(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fchmod(fileno(f), mode), 0);
    fclose(f);
}

static enum err read_keys(void)
{
    error[0] = '\0';
    return keys_file_read(&keys, path, error, sizeof error);
}

static void keys_are_read_when_well_formed(void **state)
{
    (void)state;
    write_keys("# test keys\n\n guek=000102030405060708090a0b0c0d0e0f \r\n"
               "gak = D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF\npassword = two words\n"
               "title = 4D4D4D0000BC614E\n",
               0600);
    assert_int_equal(read_keys(), ERR_OK);
    assert_true(keys.keys.has_guek && keys.keys.has_gak && !keys.keys.has_kek);
    assert_int_equal(keys.keys.guek[15], 15);
    assert_string_equal(keys.password, "two words");
    assert_true(keys.has_title);
    assert_memory_equal(keys.title, "MMM", 3);
    assert_string_equal(keys.warning, "");
}

static void keys_name_the_line_when_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"\nguek = 0001\n",
                                      "\nwhat = 1\n",
                                      "\nno equals sign\n",
                                      "guek = 00112233445566778899AABBCCDDEEFF\n"
                                      "guek = 00112233445566778899AABBCCDDEEFF\n",
                                      "\npassword =\n",
                                      "\ntitle = 4D4D\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_keys(bad[i], 0600);
        assert_int_equal(read_keys(), ERR_FORMAT);
        assert_non_null(strstr(error, "keys:2: "));
        assert_null(strstr(error, "0011")); /* no value in a message */
    }
}

static void keys_warn_when_others_may_read_them(void **state)
{
    (void)state;
    write_keys("password = a\n", 0644);
    assert_int_equal(read_keys(), ERR_OK);
    assert_string_not_equal(keys.warning, "");
}

static void keys_are_new_and_private_when_created(void **state)
{
    (void)state;
    struct keys_file made, other;
    struct stat info;
    assert_int_equal(keys_file_create(&made, path, error, sizeof error), ERR_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(read_keys(), ERR_OK);
    assert_memory_equal(&keys.keys, &made.keys, sizeof keys.keys);
    assert_string_equal(keys.password, made.password);
    assert_int_equal(strlen(made.password), 20);
    assert_int_equal(keys_file_create(&other, path, error, sizeof error), ERR_IO); /* exists */
    unlink(path);
    assert_int_equal(keys_file_create(&other, path, error, sizeof error), ERR_OK);
    assert_memory_not_equal(other.keys.guek, made.keys.guek, 16);
}

static bool seen[20000];

static void take(struct keys_state *s)
{
    uint32_t n;
    assert_int_equal(dlms_counter_take(&s->counter, &n), ERR_OK);
    assert_true(n < sizeof seen);
    assert_false(seen[n]);
    seen[n] = true;
}

static void counters_never_repeat_when_restarted_or_shared(void **state)
{
    (void)state;
    struct keys_state a, b;
    uint8_t title[DLMS_TITLE_LEN];
    memset(seen, 0, sizeof seen);
    write_keys("password = a\n", 0600);
    assert_int_equal(read_keys(), ERR_OK);
    for (int start = 0; start < 5; start++) { /* each start is a restart after a crash */
        assert_int_equal(keys_state_open(&a, &keys, error, sizeof error), ERR_OK);
        assert_int_equal(keys_state_open(&b, &keys, error, sizeof error), ERR_OK);
        assert_int_equal(a.known, start > 0);
        if (start > 0) /* the title stays the client's own */
            assert_memory_equal(a.title, title, sizeof title);
        memcpy(title, a.title, sizeof title);
        for (int i = 0; i < 300 + start; i++) {
            take(&a);
            if (i % 3 == 0)
                take(&b);
        }
    }
}

static void counters_go_on_above_when_the_meter_has_seen_more(void **state)
{
    (void)state;
    struct keys_state s;
    uint32_t n;
    write_keys("password = a\n", 0600);
    assert_int_equal(read_keys(), ERR_OK);
    assert_int_equal(keys_state_open(&s, &keys, error, sizeof error), ERR_OK);
    keys_state_raise(&s, 5000);
    assert_int_equal(dlms_counter_take(&s.counter, &n), ERR_OK);
    assert_int_equal(n, 5001);
    keys_state_raise(&s, 17); /* never back */
    assert_int_equal(dlms_counter_take(&s.counter, &n), ERR_OK);
    assert_int_equal(n, 5002);
    assert_int_equal(keys_state_open(&s, &keys, error, sizeof error), ERR_OK);
    assert_int_equal(dlms_counter_take(&s.counter, &n), ERR_OK);
    assert_true(n > 5002);
}

static void counters_are_refused_when_state_cannot_be_kept(void **state)
{
    (void)state;
    struct keys_state s;
    uint32_t n;
    write_keys("password = a\n", 0600);
    assert_int_equal(read_keys(), ERR_OK);
    assert_int_equal(keys_state_open(&s, &keys, error, sizeof error), ERR_OK);
    unlink(path); /* the lock is gone: nothing may be sent */
    assert_int_equal(dlms_counter_take(&s.counter, &n), ERR_IO);
    write_keys("password = a\n", 0600);
    FILE *f = fopen(state_path, "w");
    assert_non_null(f);
    fputs("counter = many\n", f);
    fclose(f);
    assert_int_equal(keys_state_open(&s, &keys, error, sizeof error), ERR_FORMAT);
    assert_non_null(strstr(error, "keys.state"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_read_when_well_formed),
        TEST(keys_name_the_line_when_malformed),
        TEST(keys_warn_when_others_may_read_them),
        TEST(keys_are_new_and_private_when_created),
        TEST(counters_never_repeat_when_restarted_or_shared),
        TEST(counters_go_on_above_when_the_meter_has_seen_more),
        TEST(counters_are_refused_when_state_cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
