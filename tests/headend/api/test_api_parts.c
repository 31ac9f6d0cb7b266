/* The parts below the server: paths, addresses, connections, the meter's form. */
#include "headend/api/api_meter_form.h"
#include "headend/api/api_parts.h"
#include "tests/headend/api/api_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- paths ---- */

static enum api_found find(const char *method, const char *path, struct api_path *parts,
                           char allow[64])
{
    const struct api_route *route;
    return api_route_find(method, path, &route, parts, allow, 64);
}

static void api_route_takes_ids_and_names(void **state)
{
    struct api_path parts;
    char allow[64];
    const uint8_t ln[6] = {1, 0, 99, 1, 0, 255};
    (void)state;
    assert_int_equal(find("GET", "/api/v1/meters/12/profiles/1-0:99.1.0.255/values", &parts, allow),
                     API_FOUND);
    assert_int_equal(parts.id, 12);
    assert_memory_equal(parts.ln, ln, 6);
    assert_int_equal(find("HEAD", "/api/v1/meters", &parts, allow), API_FOUND);
    assert_int_equal(find("DELETE", "/api/v1/meters", &parts, allow), API_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD, POST, OPTIONS");
}

static void api_route_refuses_everything_else(void **state)
{
    static const char *const paths[] = {"/api/v1/meters/0",
                                        "/api/v1/meters/01",
                                        "/api/v1/meters/-1",
                                        "/api/v1/meters/1x",
                                        "/api/v1/meters/",
                                        "/api/v1/meters//read",
                                        "/api/v1/meters/9999999999999999999999",
                                        "/api/v1/meters/1/profiles/1-0:999.1.0.255/values",
                                        "/api/v1/meters/1/profiles/../values",
                                        "/api/v1/meters/1/../../session",
                                        "/api/v1/../../etc/passwd",
                                        "/api/v1/meters/1/profiles/"
                                        "111111111111111111111111111111111111/days",
                                        "/api/v1/sessionx",
                                        "/api"};
    struct api_path parts;
    char allow[64];
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(find("GET", paths[i], &parts, allow), API_NO_PATH);
}

/* ---- addresses ---- */

static void api_address_takes_host_and_port_only(void **state)
{
    static const char *const bad[] = {
        "",        "8080",  ":8080",   "127.0.0.1",  "::1:8080", "[::1]",
        "[::1:80", "host:", "host:1x", "host:70000", "host:-1",  "[]:80"};
    struct api_address a;
    (void)state;
    assert_int_equal(api_address_parse("127.0.0.1:8080", &a), ERR_OK);
    assert_string_equal(a.host, "127.0.0.1");
    assert_string_equal(a.port, "8080");
    assert_int_equal(api_address_parse("[::1]:0", &a), ERR_OK);
    assert_string_equal(a.host, "::1");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(api_address_parse(bad[i], &a), ERR_FORMAT);
}

static void api_start_says_who_has_the_port(void **state)
{
    struct rig r;
    struct api *second;
    char listen[32], why[300], pid[32];
    (void)state;
    rig_start(&r, 0);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", r.port);
    const struct api_options o = {.listen = listen,
                                  .dir = r.dir,
                                  .key = &r.key,
                                  .clock = &r.clock,
                                  .log = &r.log,
                                  .version = "0"};
    assert_int_equal(api_start(&second, &o, why, sizeof why), ERR_BUSY);
    snprintf(pid, sizeof pid, "(process %d)", (int)getpid());
    assert_non_null(strstr(why, pid));
    rig_stop(&r);
}

static void api_start_listens_on_ipv6(void **state)
{
    struct rig r;
    struct api *six;
    char why[300], answer[2048];
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    (void)state;
    const int probe = socket(AF_INET6, SOCK_STREAM, 0);
    const bool has_v6 = probe >= 0 && bind(probe, (struct sockaddr *)&a, sizeof a) == 0;
    if (probe >= 0)
        close(probe);
    if (!has_v6)
        skip(); /* a machine without IPv6 */
    rig_start(&r, 0);
    const struct api_options o = {.listen = "[::1]:0",
                                  .dir = r.dir,
                                  .key = &r.key,
                                  .clock = &r.clock,
                                  .log = &r.log,
                                  .version = "0"};
    assert_int_equal(api_start(&six, &o, why, sizeof why), ERR_OK);
    assert_int_equal(strncmp(api_url(six), "http://[::1]:", 13), 0);
    a.sin6_port = htons((uint16_t)atoi(strrchr(api_url(six), ':') + 1));
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    const char *text = "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    assert_true(http_send(fd, text, strlen(text)));
    (void)http_wait(fd, answer, sizeof answer, "\r\n\r\n", 5000);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
    close(fd);
    api_stop(six);
    rig_stop(&r);
}

/* ---- connections ---- */

static struct sockaddr_in v4(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return a;
}

static void connections_are_bounded_by_address(void **state)
{
    struct connections c;
    struct sockaddr_in one = v4("192.0.2.1"), other = v4("192.0.2.2"), here = v4("127.0.0.1");
    struct connection *held[CONNECTIONS_PER_ADDRESS];
    (void)state;
    assert_int_equal(connections_init(&c, 400, 0), ERR_OK);
    for (int i = 0; i < CONNECTIONS_PER_ADDRESS; i++) {
        assert_true(connections_admit(&c, (struct sockaddr *)&one));
        held[i] = connections_begin(&c, 1000000 + i, (struct sockaddr *)&one, 0);
        assert_non_null(held[i]);
    }
    assert_false(connections_admit(&c, (struct sockaddr *)&one));
    assert_true(connections_admit(&c, (struct sockaddr *)&other));
    assert_true(connections_admit(&c, (struct sockaddr *)&here));
    connections_end(&c, held[5]);
    assert_true(connections_admit(&c, (struct sockaddr *)&one));
    connections_free(&c);
}

static void connections_cut_who_is_late(void **state)
{
    struct connections c;
    struct sockaddr_in here = v4("127.0.0.1");
    int ends[2];
    char octet;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(connections_init(&c, 1, 0), ERR_OK);
    struct connection *one = connections_begin(&c, ends[0], (struct sockaddr *)&here, 1000);
    assert_null(connections_begin(&c, 77, (struct sockaddr *)&here, 1000)); /* full */
    assert_int_equal(connections_cut(&c, 999), 0);
    connections_deadline(&c, one, 2000);
    assert_int_equal(connections_cut(&c, 1999), 0);
    assert_int_equal(connections_cut(&c, 2000), 1);
    assert_int_equal(read(ends[1], &octet, 1), 0);
    assert_int_equal(connections_cut(&c, 9000), 0);
    connections_end(&c, one);
    connections_free(&c);
    close(ends[0]);
    close(ends[1]);
}

static void connections_address_of_ipv6_is_the_household(void **state)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6}, b = a;
    uint8_t x[CONNECTIONS_ADDRESS], y[CONNECTIONS_ADDRESS];
    struct sockaddr_in four = v4("192.0.2.1");
    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &a.sin6_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::2:3", &b.sin6_addr), 1);
    connections_address((struct sockaddr *)&a, x);
    connections_address((struct sockaddr *)&b, y);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &a.sin6_addr), 1);
    connections_address((struct sockaddr *)&a, x);
    connections_address((struct sockaddr *)&four, y);
    assert_memory_equal(x, y, sizeof x);
}

/* ---- the meter's form ---- */

static void read_form(const char *text, bool add, const char *field, bool unknown)
{
    struct store_meter m;
    struct meter_secret secret;
    struct meter_form_fault fault;
    bool given;
    json_t *v = json_loads(text, 0, NULL);
    assert_non_null(v);
    memset(&m, 0, sizeof m);
    memset(&secret, 0, sizeof secret);
    meter_defaults(&m);
    const bool good = meter_form_read(v, add, &m, &secret, &given, &fault);
    assert_int_equal(good, field == NULL);
    if (field != NULL) {
        assert_string_equal(fault.field, field);
        assert_int_equal(fault.unknown, unknown);
        assert_true(strlen(fault.message) > 5);
    }
    json_decref(v);
}

static void meter_form_names_the_wrong_member(void **state)
{
#define GOOD "{\"name\":\"a\",\"url\":\"tcp://h:1\""
    (void)state;
    read_form(GOOD "}", true, NULL, false);
    read_form("{\"name\":\"a\"}", true, "url", false);
    read_form(GOOD ",\"id\":7}", true, "id", true);
    read_form(GOOD ",\"keys\":{\"kek\":null}}", true, "kek", true);
    read_form(GOOD ",\"keys\":{\"guek\":\"12\"}}", true, "guek", false);
    read_form(GOOD ",\"keys\":7}", true, "keys", false);
    read_form(GOOD ",\"client\":\"3\"}", true, "client", false);
    read_form(GOOD ",\"client\":70000}", true, "client", false);
    read_form(GOOD ",\"client\":1.5}", true, "client", false);
    read_form(GOOD ",\"timeout_s\":0}", true, "timeout_s", false);
    read_form(GOOD ",\"ct\":[1]}", true, "ct", false);
    read_form(GOOD ",\"ct\":[1,0]}", true, "ct", false);
    read_form(GOOD ",\"vt\":[-1,1]}", true, "vt", false);
    read_form(GOOD ",\"enabled\":1}", true, "enabled", false);
    read_form(GOOD ",\"auth\":\"hls9\"}", true, "auth", false);
    read_form(GOOD ",\"security\":null}", true, "security", false);
    read_form("{\"name\":\"\",\"url\":\"tcp://h:1\"}", true, "name", false);
    read_form("{\"name\":\"a\",\"url\":\"file:///etc/passwd\"}", true, "url", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_route_takes_ids_and_names),
        cmocka_unit_test(api_route_refuses_everything_else),
        cmocka_unit_test(api_address_takes_host_and_port_only),
        cmocka_unit_test(api_start_says_who_has_the_port),
        cmocka_unit_test(api_start_listens_on_ipv6),
        cmocka_unit_test(connections_are_bounded_by_address),
        cmocka_unit_test(connections_cut_who_is_late),
        cmocka_unit_test(connections_address_of_ipv6_is_the_household),
        cmocka_unit_test(meter_form_names_the_wrong_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
