/* Addresses of meters: what is taken, what is refused and what is said then. */
#include "headend/keys/meter_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void meter_url_takes_hosts_and_ports(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
        uint16_t port;
        bool v6;
    } good[] = {
        {"tcp://127.0.0.1:4059", "127.0.0.1", 4059, false},
        {"tcp://meter-7.mill_lane.example:1", "meter-7.mill_lane.example", 1, false},
        {"tcp://localhost:65535", "localhost", 65535, false},
        {"tcp://[::1]:4059", "::1", 4059, true},
        {"tcp://[2001:db8::7]:4059", "2001:db8::7", 4059, true},
        {"tcp://[fe80::1%eth0]:4059", "fe80::1%eth0", 4059, true},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct meter_url u;
        assert_null(meter_url_check(good[i].url, &u));
        assert_null(meter_url_check(good[i].url, NULL));
        assert_string_equal(u.host, good[i].host);
        assert_int_equal(u.port, good[i].port);
        assert_int_equal(u.numeric_v6, good[i].v6);
    }
}

static void meter_url_refuses_and_says_why(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "tcp://"},
        {"127.0.0.1:4059", "tcp://"},
        {"http://127.0.0.1:80", "tcp://"},
        {"TCP://127.0.0.1:80", "tcp://"},
        {" tcp://127.0.0.1:80", "tcp://"},
        {"tcp://", "no port"},
        {"tcp://host", "no port"},
        {"tcp://[::1]", "no port"},
        {"tcp://:4059", "no host"},
        {"tcp://[]:4059", "no host"},
        {"tcp://host:", "65535"},
        {"tcp://host:0", "65535"},
        {"tcp://host:65536", "65535"},
        {"tcp://host:99999999999", "65535"},
        {"tcp://host:04059", "65535"},
        {"tcp://host:+80", "65535"},
        {"tcp://host:80/", "65535"},
        {"tcp://host:80 ", "65535"},
        {"tcp://host:80\n", "65535"},
        {"tcp://user@host:80", "other signs"},
        {"tcp://host/path:80", "other signs"},
        {"tcp://ho st:80", "other signs"},
        {"tcp://m\xc3\xbchle:80", "other signs"},
        {"tcp://::1:4059", "brackets"},
        {"tcp://[127.0.0.1]:80", "IPv6"},
        {"tcp://[::1%]:80", "IPv6"},
        {"tcp://[::1%e h]:80", "IPv6"},
        {"tcp://[::1%a/b]:80", "IPv6"},
        {"tcp://[::1]x:80", "brackets"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = meter_url_check(bad[i][0], NULL);
        if (why == NULL || strstr(why, bad[i][1]) == NULL)
            fail_msg("'%s': %s", bad[i][0], why != NULL ? why : "taken");
    }
}

static void meter_url_bounds_the_host(void **state)
{
    (void)state;
    char url[400] = "tcp://";
    memset(url + 6, 'a', 300);
    strcpy(url + 6 + METER_URL_HOST - 1, ":80");
    struct meter_url u;
    assert_null(meter_url_check(url, &u));
    assert_int_equal(strlen(u.host), METER_URL_HOST - 1);
    memset(url + 6, 'a', 300);
    strcpy(url + 6 + METER_URL_HOST, ":80");
    assert_non_null(strstr(meter_url_check(url, &u), "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_url_takes_hosts_and_ports),
        cmocka_unit_test(meter_url_refuses_and_says_why),
        cmocka_unit_test(meter_url_bounds_the_host),
    };
    return cmocka_run_group_tests_name("keys/meter_url", tests, NULL, NULL);
}
