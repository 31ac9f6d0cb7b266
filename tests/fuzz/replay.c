/* Runs a fuzz target over files (or standard input) without libFuzzer: to look at a finding with
 * the ordinary compiler and debugger, and to keep findings of the past from coming back.
 *
 * A folder named on the command line stands for its files; one that does not exist is an error. It
 * does not invent input. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target sees a block of exactly the input's size, so that a sanitizer sees a read past its
 * end.
 */
static int run(FILE *f, const char *name)
{
    uint8_t *all = malloc(INPUT_MAX);
    if (!all) {
        return 1;
    }
    size_t n = fread(all, 1, INPUT_MAX, f);
    uint8_t *data = malloc(n ? n : 1);
    if (!data) {
        free(all);
        return 1;
    }
    memcpy(data, all, n);
    free(all);
    printf("%s: %zu octets\n", name, n);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 0;
}

static int run_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f) {
        perror(name);
        return 1;
    }
    int failed = run(f, name);
    fclose(f);
    return failed;
}

static int run_folder(DIR *d, const char *name)
{
    int failed = 0;
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        char path[1024];
        int n = snprintf(path, sizeof path, "%s/%s", name, e->d_name);
        if (e->d_name[0] != '.' && n > 0 && (size_t)n < sizeof path) {
            failed |= run_file(path);
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2 ? run(stdin, "standard input") : 0;
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        failed |= d ? run_folder(d, argv[i]) : run_file(argv[i]);
        if (d) {
            closedir(d);
        }
    }
    return failed;
}
