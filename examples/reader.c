/* A complete DLMS reader with libferraris alone: associates by password, reads the energy register
 * and prints it. reader ADDRESS PORT PASSWORD-FILE */
#include <lib/cosem/client.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool keep(void *value, uint32_t index, struct bytes part)
{
    (void)index;
    wr_bytes(value, part.p, part.len);
    return true;
}

/* Moves octets both ways until the operation is over; without a clock no answer comes too late. */
static bool run(struct cosem_client *c, int fd, enum err begun)
{
    uint8_t buf[512];
    size_t n;
    while (begun == ERR_OK &&
           ((n = cosem_client_take(c, buf, sizeof buf)) || cosem_client_waiting(c))) {
        ssize_t got = n ? write(fd, buf, n) : read(fd, buf, sizeof buf);
        if (got <= 0)
            cosem_client_lost(c);
        else if (!n)
            (void)cosem_client_feed(c, 0, buf, (size_t)got);
    }
    return begun == ERR_OK && c->state != CLIENT_FAILED;
}

int main(int argc, char **argv)
{
    static struct cosem_client c;
    uint8_t octets[64];
    struct wr value = wr_of(octets, sizeof octets);
    const struct cosem_client_sink sink = {.data = keep, .context = &value};
    struct apdu_attr energy = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    char password[32], why[160];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    FILE *file = argc == 4 ? fopen(argv[3], "r") : NULL;
    if (!file || fscanf(file, "%31s", password) != 1)
        return fputs("usage: reader ADDRESS PORT PASSWORD-FILE\n", stderr), 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    at.sin_addr.s_addr = inet_addr(argv[1]);
    struct cosem_client_config config = {
        .client_sap = 2, .server_sap = 1, .mechanism = DLMS_MECHANISM_LLS, .password = password};
    if (connect(fd, (struct sockaddr *)&at, sizeof at) || cosem_client_init(&c, &config))
        return perror("reader"), 1;
    if (run(&c, fd, cosem_client_connect(&c, 0)) &&
        run(&c, fd, cosem_client_get(&c, 0, &energy, &sink))) {
        struct rd r = rd_of(octets, value.len);
        printf("%llu Wh\n", (unsigned long long)axdr_get_uint(&r));
        return r.err || !run(&c, fd, cosem_client_release(&c, 0));
    }
    cosem_client_explain(&c, why, sizeof why);
    return fprintf(stderr, "reader: %s\n", why), 1;
}
