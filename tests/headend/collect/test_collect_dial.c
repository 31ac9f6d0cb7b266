/* A meter's name with several addresses: the one that works is found, whatever is wrong with those
 * before it. The resolver is between the collector and libuv here (--wrap). */
#include "tests/headend/collect/town.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *before[4]; /* the meter's own address, as the resolver gives them */
static uv_getaddrinfo_cb found_cb;

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
                          const char *node, const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
                          const char *node, const char *service, const struct addrinfo *hints);

/* As the C library lays one out: its address behind it, freed with it. */
static struct addrinfo *entry(const char *text, const struct addrinfo *like, struct addrinfo *next)
{
    struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in));
    struct sockaddr_in *address = (struct sockaddr_in *)(a + 1);
    *address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = ((const struct sockaddr_in *)(void *)like->ai_addr)->sin_port};
    assert_int_equal(inet_pton(AF_INET, text, &address->sin_addr), 1);
    a->ai_family = AF_INET;
    a->ai_socktype = SOCK_STREAM;
    a->ai_addrlen = sizeof *address;
    a->ai_addr = (struct sockaddr *)address;
    a->ai_next = next;
    return a;
}

static void found(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct addrinfo *first = list;
    for (size_t i = 0; status == 0 && i < 4 && before[i] != NULL; i++)
        first = entry(before[i], list, first);
    found_cb(req, status, first);
}

int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb,
                          const char *node, const char *service, const struct addrinfo *hints)
{
    assert_string_equal(node, "meter.example");
    found_cb = cb;
    return __real_uv_getaddrinfo(loop, req, found, "127.0.0.1", service, hints);
}

static struct town *town_with_name(int64_t *id)
{
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    struct store_meter m;
    memset(before, 0, sizeof before);
    *id = town_add(t, s, STORE_AUTH_LLS);
    assert_int_equal(store_meter_get(t->store, *id, &m), ERR_OK);
    snprintf(m.url, sizeof m.url, "tcp://meter.example%.8s", strrchr(s->tcp.address, ':'));
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    return t;
}

static void collector_tries_each_address_of_a_name(void **state)
{
    (void)state;
    int64_t id;
    struct town *t = town_with_name(&id);
    before[0] = "127.0.0.2";       /* nobody listens there */
    before[1] = "255.255.255.255"; /* refused by the system at once */
    before[2] = "127.0.0.3";
    town_start(t);
    town_settle(t);
    assert_string_equal(town_state(t, id).error, "");
    assert_true(town_state(t, id).up_to_date);
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collector_tries_each_address_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
