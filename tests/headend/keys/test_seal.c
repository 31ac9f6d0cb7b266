/* The key file comes whole and private, or is refused; what is sealed opens in its place only. */
#include "headend/keys/seal.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/ferraris-seal-XXXXXX";
static char why[200];

static int enter(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    why[0] = '\0';
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    (void)rmdir("master.key");
    (void)unlink("master.key");
    (void)unlink("elsewhere");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1; /* fails when a temporary was left */
}

static void write_key(const char *text, mode_t mode)
{
    const int fd = open("master.key", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void seal_key_is_made_once_and_private(void **state)
{
    (void)state;
    struct seal_key a, b;
    struct stat s;
    static const struct seal_key zero;
    assert_int_equal(seal_key_open(&a, folder, why, sizeof why), ERR_OK);
    assert_int_equal(stat("master.key", &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_int_equal(s.st_nlink, 1);
    assert_int_equal(s.st_size, 65);
    assert_int_equal(seal_key_open(&b, ".", why, sizeof why), ERR_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &zero, sizeof a);
    seal_key_wipe(&a);
    assert_memory_equal(&a, &zero, sizeof a);
}

static void *open_key(void *key)
{
    char reason[200];
    assert_int_equal(seal_key_open(key, folder, reason, sizeof reason), ERR_OK);
    return NULL;
}

static void seal_key_is_one_when_many_start_at_once(void **state)
{
    (void)state;
    enum { N = 8 };
    struct seal_key key[N];
    pthread_t thread[N];
    for (size_t i = 0; i < N; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, open_key, &key[i]), 0);
    for (size_t i = 0; i < N; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 1; i < N; i++)
        assert_memory_equal(&key[0], &key[i], sizeof key[0]);
}

static void seal_key_is_read_as_written(void **state)
{
    (void)state;
    struct seal_key k;
    write_key(HEX64 "\n", 0600);
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_OK);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(k.octets[i], i);
    write_key(HEX64, 0400); /* by hand, without the line feed */
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_OK);
}

static void seal_key_refuses_what_others_may_touch(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0620, 0604, 0602, 0610, 0601, 0644, 0666};
    struct seal_key k;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_key(HEX64 "\n", modes[i]);
        assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_ACCESS);
        assert_non_null(strstr(why, "chmod 600"));
    }
}

static void seal_key_refuses_links_folders_and_pipes(void **state)
{
    (void)state;
    struct seal_key k;
    write_key(HEX64 "\n", 0600);
    assert_int_equal(rename("master.key", "elsewhere"), 0);
    assert_int_equal(symlink("elsewhere", "master.key"), 0);
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_IO);
    assert_non_null(strstr(why, "symbolic link"));
    unlink("master.key");
    assert_int_equal(symlink("nowhere", "master.key"), 0);
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_IO);
    unlink("master.key");
    assert_int_equal(mkdir("master.key", 0700), 0);
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_FORMAT);
    rmdir("master.key");
    assert_int_equal(mkfifo("master.key", 0600), 0); /* must not wait for a writer */
    assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_FORMAT);
}

static void seal_key_refuses_what_is_no_key(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        HEX64 "0",
        HEX64 "\n\n",
        HEX64 " ",
        "g" HEX64,
        "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"};
    struct seal_key k;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_key(bad[i], 0600);
        assert_int_equal(seal_key_open(&k, folder, why, sizeof why), ERR_FORMAT);
    }
    assert_int_equal(seal_key_open(&k, "/nonexistent/folder", why, sizeof why), ERR_IO);
}

/* ---- sealing ---- */

static const struct seal_key key = {{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                     11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                     22, 23, 24, 25, 26, 27, 28, 29, 30, 31}};
static const char text[] = "0123456789abcdef!";
#define TEXT_LEN (sizeof text - 1)

static size_t seal_text(uint8_t *to, size_t size)
{
    size_t len = 0;
    const struct bytes plain = {(const uint8_t *)text, TEXT_LEN};
    assert_int_equal(seal_close(&key, "meter 7", plain, to, size, &len), ERR_OK);
    return len;
}

/* Computed by Python's cryptography (AESGCM) from the layout at the head of seal.c: key 00..1F,
 * nonce 40..4B, additional data 01 "meter 7". */
static void seal_opens_the_vector(void **state)
{
    (void)state;
    static const uint8_t sealed[] = {0x01, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
                                     0x49, 0x4a, 0x4b, 0xd2, 0x88, 0x9c, 0x10, 0x12, 0x09, 0xb1,
                                     0x34, 0xf5, 0xfd, 0x76, 0x54, 0xf8, 0x00, 0x76, 0x3d, 0x58,
                                     0x36, 0x37, 0xa3, 0x2a, 0x77, 0xe0, 0x70, 0x30, 0x49, 0xea,
                                     0x0e, 0xac, 0x6a, 0xb7, 0x65, 0x14};
    uint8_t plain[TEXT_LEN];
    size_t len = 0;
    assert_int_equal(seal_open(&key, "meter 7", (struct bytes){sealed, sizeof sealed}, plain,
                               sizeof plain, &len),
                     ERR_OK);
    assert_int_equal(len, TEXT_LEN);
    assert_memory_equal(plain, text, TEXT_LEN);
}

static void seal_opens_what_it_closed(void **state)
{
    (void)state;
    uint8_t a[64], b[64], plain[64];
    size_t len = 0;
    const size_t n = seal_text(a, sizeof a);
    assert_int_equal(n, TEXT_LEN + SEAL_OVERHEAD);
    assert_int_equal(seal_open(&key, "meter 7", (struct bytes){a, n}, plain, sizeof plain, &len),
                     ERR_OK);
    assert_int_equal(len, TEXT_LEN);
    assert_memory_equal(plain, text, TEXT_LEN);
    seal_text(b, sizeof b);
    assert_memory_not_equal(a + 1, b + 1, 12); /* nonces */
    assert_int_equal(seal_close(&key, "x", (struct bytes){NULL, 0}, a, sizeof a, &len), ERR_OK);
    assert_int_equal(len, SEAL_OVERHEAD);
    assert_int_equal(seal_open(&key, "x", (struct bytes){a, len}, plain, 0, &len), ERR_OK);
    assert_int_equal(len, 0);
}

static void seal_refuses_another_place_or_key(void **state)
{
    (void)state;
    uint8_t a[64], plain[64];
    size_t len;
    const struct bytes sealed = {a, seal_text(a, sizeof a)};
    struct seal_key other = key;
    other.octets[31] ^= 1;
    assert_int_equal(seal_open(&key, "meter 8", sealed, plain, sizeof plain, &len), ERR_TAG);
    assert_int_equal(seal_open(&key, "meter 77", sealed, plain, sizeof plain, &len), ERR_TAG);
    assert_int_equal(seal_open(&key, "", sealed, plain, sizeof plain, &len), ERR_TAG);
    assert_int_equal(seal_open(&other, "meter 7", sealed, plain, sizeof plain, &len), ERR_TAG);
}

static void seal_refuses_each_flipped_bit(void **state)
{
    (void)state;
    uint8_t a[64], plain[64];
    const size_t n = seal_text(a, sizeof a);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        size_t len;
        memset(plain, 0xAA, sizeof plain);
        a[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const enum err err =
            seal_open(&key, "meter 7", (struct bytes){a, n}, plain, sizeof plain, &len);
        a[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(err, bit < 8 ? ERR_VERSION : ERR_TAG);
        assert_true(bit < 8 || plain[0] == 0); /* nothing unproven is left */
    }
}

static void seal_keeps_to_the_sizes(void **state)
{
    (void)state;
    uint8_t a[64], plain[64];
    size_t len;
    const struct bytes in = {(const uint8_t *)text, TEXT_LEN};
    assert_int_equal(seal_close(&key, "p", in, a, TEXT_LEN + SEAL_OVERHEAD - 1, &len), ERR_FULL);
    const size_t n = seal_text(a, TEXT_LEN + SEAL_OVERHEAD);
    assert_int_equal(seal_open(&key, "meter 7", (struct bytes){a, n}, plain, TEXT_LEN - 1, &len),
                     ERR_FULL);
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(
            seal_open(&key, "meter 7", (struct bytes){a, i}, plain, sizeof plain, &len), ERR_OK);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(seal_key_is_made_once_and_private),
        IN_FOLDER(seal_key_is_one_when_many_start_at_once),
        IN_FOLDER(seal_key_is_read_as_written),
        IN_FOLDER(seal_key_refuses_what_others_may_touch),
        IN_FOLDER(seal_key_refuses_links_folders_and_pipes),
        IN_FOLDER(seal_key_refuses_what_is_no_key),
        cmocka_unit_test(seal_opens_the_vector),
        cmocka_unit_test(seal_opens_what_it_closed),
        cmocka_unit_test(seal_refuses_another_place_or_key),
        cmocka_unit_test(seal_refuses_each_flipped_bit),
        cmocka_unit_test(seal_keeps_to_the_sizes),
    };
    return cmocka_run_group_tests_name("keys/seal", tests, NULL, NULL);
}
