/* The flash file: NOR rules, one owner, its size, and a store that outlives kill -9. */
#include "firmware/ports/posix/flash.h"

#include "lib/nv/nv.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Stands in for the C library's: counts, and fails when told to. */
static unsigned n_syncs;
static size_t synced;
static int sync_fails;
int msync(void *at, size_t n, int flags)
{
    (void)at;
    assert_int_equal(flags, MS_SYNC);
    n_syncs++;
    synced = n;
    return sync_fails;
}

static const struct posix_flash_options geometry = {.sector_size = 512, .n_sectors = 8};
static char path[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/ferraris-flash-%ld", (long)getpid());
    unlink(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void flash_is_blank_when_created_and_stays_when_reopened(void **state)
{
    (void)state;
    struct posix_flash f;
    uint8_t octet[2];
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    for (uint32_t at = 0; at < 4096; at++) {
        assert_int_equal(f.hal.read(&f.hal, at, octet, 1), ERR_OK);
        assert_int_equal(octet[0], 0xFF);
    }
    assert_int_equal(f.hal.program(&f.hal, 511, "\x12\x34", 2), ERR_OK);
    posix_flash_close(&f);
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    assert_int_equal(f.hal.read(&f.hal, 511, octet, 2), ERR_OK);
    assert_memory_equal(octet, "\x12\x34", 2);
    assert_int_equal(f.hal.erase(&f.hal, 0), ERR_OK);
    assert_int_equal(f.hal.read(&f.hal, 511, octet, 2), ERR_OK);
    assert_memory_equal(octet, "\xFF\x34", 2);
    posix_flash_close(&f);
}

static void flash_refuses_to_set_bits_and_to_leave_the_device(void **state)
{
    (void)state;
    struct posix_flash f;
    uint8_t octet[2];
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 8, "\x0F\xFF", 2), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 7, "\x00\x1F", 2), ERR_IO);
    assert_int_equal(f.hal.read(&f.hal, 7, octet, 2), ERR_OK);
    assert_memory_equal(octet, "\xFF\x0F", 2); /* nothing of it was done */
    assert_int_equal(f.hal.program(&f.hal, 8, "\x0C", 1), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 4095, "\x00\x00", 2), ERR_RANGE);
    assert_int_equal(f.hal.read(&f.hal, 4096, octet, 1), ERR_RANGE);
    assert_int_equal(f.hal.read(&f.hal, 1, octet, SIZE_MAX), ERR_RANGE);
    assert_int_equal(f.hal.erase(&f.hal, 8), ERR_RANGE);
    posix_flash_close(&f);
}

static void flash_refuses_a_second_opener_and_says_so(void **state)
{
    (void)state;
    struct posix_flash f, second;
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    pid_t child = fork();
    if (child == 0) {
        enum err err = posix_flash_open(&second, path, &geometry);
        _exit(err == ERR_BUSY && strstr(second.why, "in use") && strstr(second.why, path) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(posix_flash_open(&second, path, &geometry), ERR_BUSY);
    posix_flash_close(&f);
    assert_int_equal(posix_flash_open(&second, path, &geometry), ERR_OK);
    posix_flash_close(&second);
}

static void flash_refuses_a_truncated_file_untouched(void **state)
{
    (void)state;
    struct posix_flash f;
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    posix_flash_close(&f);
    assert_int_equal(truncate(path, 4000), 0);
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_CORRUPT);
    assert_non_null(strstr(f.why, "4000"));
    assert_non_null(strstr(f.why, "4096"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_int_equal(ftell(file), 4000);
    fclose(file);
}

static void resize(off_t size, uint8_t last)
{
    assert_int_equal(truncate(path, size), 0);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    assert_int_equal(fputc(last, file), last);
    assert_int_equal(fclose(file), 0);
}

static void flash_is_enlarged_from_the_size_before(void **state)
{
    (void)state;
    struct posix_flash f;
    struct posix_flash_options larger = {
        .sector_size = 512, .n_sectors = 12, .n_sectors_before = 8};
    uint8_t octet;
    assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 4095, "\x12", 1), ERR_OK);
    posix_flash_close(&f);
    for (unsigned round = 0; round < 3; round++) { /* 1: cut while it grew; 2: as it is */
        if (round == 1)
            resize(5000, 0xFF);
        assert_int_equal(posix_flash_open(&f, path, &larger), ERR_OK);
        for (uint32_t at = 4095; at < 12 * 512; at++) {
            assert_int_equal(f.hal.read(&f.hal, at, &octet, 1), ERR_OK);
            assert_int_equal(octet, at == 4095 ? 0x12 : 0xFF);
        }
        posix_flash_close(&f);
    }
}

static void flash_of_any_other_size_is_left_alone(void **state)
{
    (void)state;
    struct posix_flash f;
    struct posix_flash_options larger = {
        .sector_size = 512, .n_sectors = 12, .n_sectors_before = 8};
    static const struct {
        off_t size;
        uint8_t last;
    } wrong[] = {{7000, 0xFF}, {5000, 0x7F}, {4095, 0xFF}, {512, 0xFF}};
    assert_int_equal(posix_flash_open(&f, path, &larger), ERR_OK);
    posix_flash_close(&f);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct stat st;
        resize(wrong[i].size, wrong[i].last);
        assert_int_equal(posix_flash_open(&f, path, &larger), ERR_CORRUPT);
        assert_non_null(strstr(f.why, path));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, wrong[i].size);
    }
}

static void flash_says_why_when_it_cannot_open(void **state)
{
    (void)state;
    struct posix_flash f;
    const struct posix_flash_options bad = {.sector_size = 500, .n_sectors = 8};
    assert_int_equal(posix_flash_open(&f, "/nowhere/flash", &geometry), ERR_IO);
    assert_non_null(strstr(f.why, "/nowhere/flash"));
    assert_int_equal(posix_flash_open(&f, "/tmp", &geometry), ERR_IO);
    assert_int_equal(posix_flash_open(&f, path, &bad), ERR_RANGE);
    assert_int_equal(access(path, F_OK), -1);
}

/* Counts in a store until it is killed; tells each number that was acknowledged. */
static void count_for_ever(int out)
{
    struct posix_flash f;
    struct nv nv;
    struct nv_config config = {.flash = &f.hal, .kv_n_sectors = 4};
    uint32_t n = 0;
    size_t len;
    if (posix_flash_open(&f, path, &geometry) || nv_mount(&nv, &config))
        _exit(1);
    enum err err = nv_get(&nv, 0, &n, sizeof n, &len);
    if (err && err != ERR_NOT_FOUND)
        _exit(2);
    for (;;) {
        n++;
        if (nv_put(&nv, 0, &n, sizeof n) || write(out, &n, sizeof n) != sizeof n)
            _exit(3);
    }
}

/* The last number the child told before it died; pipes keep what was written. */
static uint32_t kill_a_counter(useconds_t after_us)
{
    int pipes[2];
    uint32_t n, last = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        count_for_ever(pipes[1]);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &n, sizeof n), sizeof n);
    last = n;
    usleep(after_us);
    kill(child, SIGKILL);
    while (read(pipes[0], &n, sizeof n) == sizeof n)
        last = n;
    close(pipes[0]);
    waitpid(child, NULL, 0);
    return last;
}

static void flash_keeps_what_was_acknowledged_when_killed(void **state)
{
    (void)state;
    struct posix_flash f;
    struct nv nv;
    struct nv_config config = {.flash = &f.hal, .kv_n_sectors = 4};
    for (useconds_t round = 0; round < 60; round++) {
        uint32_t last = kill_a_counter(97 * round), n = 0;
        size_t len;
        assert_int_equal(posix_flash_open(&f, path, &geometry), ERR_OK);
        assert_int_equal(nv_mount(&nv, &config), ERR_OK);
        assert_int_equal(nv.n_corrupt, 0);
        assert_int_equal(nv_get(&nv, 0, &n, sizeof n, &len), ERR_OK);
        posix_flash_close(&f);
        assert_in_range(n, last, last + 1);
    }
}

static void flash_syncs_each_operation_only_when_asked(void **state)
{
    (void)state;
    struct posix_flash f;
    struct posix_flash_options options = geometry;
    uint8_t octet;
    n_syncs = 0;
    assert_int_equal(posix_flash_open(&f, path, &options), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 4095, "\x7F", 1), ERR_OK);
    assert_int_equal(posix_flash_hold(&f, true), ERR_OK);
    assert_int_equal(posix_flash_hold(&f, false), ERR_OK);
    assert_int_equal(n_syncs, 0);
    posix_flash_close(&f);
    options.sync = true;
    assert_int_equal(posix_flash_open(&f, path, &options), ERR_OK);
    assert_int_equal(f.hal.program(&f.hal, 4094, "\x7F", 1), ERR_OK);
    assert_int_equal(f.hal.erase(&f.hal, 3), ERR_OK);
    assert_int_equal(n_syncs, 2);
    assert_int_equal(f.hal.read(&f.hal, 4095, &octet, 1), ERR_OK);
    assert_int_equal(octet, 0x7F);
    posix_flash_close(&f);
}

static void flash_syncs_once_when_held_and_released(void **state)
{
    (void)state;
    struct posix_flash f;
    struct posix_flash_options options = geometry;
    options.sync = true;
    n_syncs = 0;
    assert_int_equal(posix_flash_open(&f, path, &options), ERR_OK);
    assert_int_equal(posix_flash_hold(&f, true), ERR_OK);
    for (uint32_t at = 0; at < 4096; at += 64)
        assert_int_equal(f.hal.program(&f.hal, at, "\x00", 1), ERR_OK);
    assert_int_equal(n_syncs, 0);
    sync_fails = -1;
    assert_int_equal(posix_flash_hold(&f, false), ERR_IO);
    sync_fails = 0;
    assert_int_equal(posix_flash_hold(&f, true), ERR_OK);
    assert_int_equal(posix_flash_hold(&f, false), ERR_OK);
    assert_int_equal(n_syncs, 2);
    assert_int_equal(synced, 4096); /* all of it, what went before the failure included */
    assert_int_equal(f.hal.program(&f.hal, 1, "\x00", 1), ERR_OK);
    assert_int_equal(n_syncs, 3);
    posix_flash_close(&f);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(flash_is_blank_when_created_and_stays_when_reopened),
        CASE(flash_refuses_to_set_bits_and_to_leave_the_device),
        CASE(flash_refuses_a_second_opener_and_says_so),
        CASE(flash_refuses_a_truncated_file_untouched),
        CASE(flash_is_enlarged_from_the_size_before),
        CASE(flash_of_any_other_size_is_left_alone),
        CASE(flash_says_why_when_it_cannot_open),
        CASE(flash_keeps_what_was_acknowledged_when_killed),
        CASE(flash_syncs_each_operation_only_when_asked),
        CASE(flash_syncs_once_when_held_and_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
