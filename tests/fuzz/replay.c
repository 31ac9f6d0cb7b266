/* Runs a fuzz target over files (or standard input) without libFuzzer: to look at a finding with
 * the ordinary compiler and debugger, and to keep findings of the past from coming back. Also keeps
 * a grown corpus in one text file.
 *
 *     fuzz_NAME [FILE|FOLDER|FILE.hex ...]     runs them; a .hex file has one input a line
 *     fuzz_NAME --unpack FILE.hex FOLDER       each line becomes a file, as libFuzzer wants it
 *     fuzz_NAME --pack FOLDER >FILE.hex        and back, in the order of the names
 *
 * A folder stands for its files; one that does not exist is an error. It does not invent input. */
#define _GNU_SOURCE /* versionsort */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t all[INPUT_MAX];
static char line[2 * INPUT_MAX + 2];

/* The target sees a block of exactly the input's size, so that a sanitizer sees a read past its
 * end. */
static int run(size_t n, const char *name, unsigned number)
{
    uint8_t *data = malloc(n ? n : 1);
    if (!data)
        return 1;
    memcpy(data, all, n);
    printf("%s:%u: %zu octets\n", name, number, n);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 0;
}

/* The octets of a line of hex to `all`; false where it is none. */
static int octets_of(const char *text, size_t *n)
{
    for (*n = 0; text[2 * *n] != '\0' && text[2 * *n] != '\n'; ++*n) {
        unsigned value;
        if (*n == INPUT_MAX || sscanf(text + 2 * *n, "%2x", &value) != 1)
            return 0;
        all[*n] = (uint8_t)value;
    }
    return 1;
}

static int save(const char *folder, unsigned number, size_t n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%05u", folder, number);
    FILE *f = fopen(path, "wb");
    if (!f)
        return perror(path), 1;
    int failed = fwrite(all, 1, n, f) != n;
    return fclose(f) != 0 || failed;
}

/* Runs each line, or saves it to `folder`. */
static int each_line(FILE *f, const char *name, const char *folder)
{
    int failed = 0;
    size_t n;
    for (unsigned i = 1; fgets(line, sizeof line, f); i++) {
        if (!octets_of(line, &n)) {
            fprintf(stderr, "%s:%u: not hex\n", name, i);
            return 1;
        }
        failed |= folder ? save(folder, i, n) : run(n, name, i);
    }
    return failed;
}

static int is_hex(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".hex") == 0;
}

static int run_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f)
        return perror(name), 1;
    int failed =
        is_hex(name) ? each_line(f, name, NULL) : run(fread(all, 1, INPUT_MAX, f), name, 1);
    fclose(f);
    return failed;
}

static int print_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f)
        return perror(name), 1;
    size_t n = fread(all, 1, INPUT_MAX, f);
    fclose(f);
    for (size_t i = 0; i < n; i++)
        printf("%02X", all[i]);
    return putchar('\n') == EOF;
}

static int is_file(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int each_file(const char *folder, int (*what)(const char *name))
{
    struct dirent **names;
    int failed = 0, n = scandir(folder, &names, is_file, versionsort);
    if (n < 0)
        return perror(folder), 1;
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        failed |= what(path);
        free(names[i]);
    }
    free(names);
    return failed;
}

static int unpack(const char *name, const char *folder)
{
    FILE *f = fopen(name, "r");
    if (!f)
        return perror(name), 1;
    (void)mkdir(folder, 0777); /* it may be there */
    int failed = each_line(f, name, folder);
    fclose(f);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc == 4 && strcmp(argv[1], "--unpack") == 0)
        return unpack(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "--pack") == 0)
        return each_file(argv[2], print_file);
    if (argc < 2)
        failed = run(fread(all, 1, INPUT_MAX, stdin), "standard input", 1);
    for (int i = 1; i < argc; i++) {
        struct stat s;
        int folder = stat(argv[i], &s) == 0 && S_ISDIR(s.st_mode);
        failed |= folder ? each_file(argv[i], run_file) : run_file(argv[i]);
    }
    return failed;
}
