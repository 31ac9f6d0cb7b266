/* Own client against own server: every link x service x security x authentication, generated. One
 * case is one association over a new line. */
#include "tests/lib/cosem/matrix/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* A dedicated key travels in the InitiateRequest, so that is encrypted and authenticated. */
static const struct {
    const char *name;
    uint8_t bits;
    bool dedicated, general;
} securities[] = {
    {"plain", 0, false, false},
    {"glo, authenticated", DLMS_SC_AUTH, false, false},
    {"glo, encrypted", DLMS_SC_ENC, false, false},
    {"glo, both", DLMS_SC_AUTH | DLMS_SC_ENC, false, false},
    {"ded, both", DLMS_SC_AUTH | DLMS_SC_ENC, true, false},
    {"general-glo, authenticated", DLMS_SC_AUTH, false, true},
    {"general-glo, encrypted", DLMS_SC_ENC, false, true},
    {"general-glo, both", DLMS_SC_AUTH | DLMS_SC_ENC, false, true},
    {"general-ded, both", DLMS_SC_AUTH | DLMS_SC_ENC, true, true},
};
static const struct {
    const char *name;
    uint8_t mechanism;
} authentications[] = {
    {"none", DLMS_MECHANISM_NONE},  {"LLS", DLMS_MECHANISM_LLS},    {"HLS 2", DLMS_MECHANISM_HLS2},
    {"HLS 3", DLMS_MECHANISM_HLS3}, {"HLS 4", DLMS_MECHANISM_HLS4}, {"HLS 5", DLMS_MECHANISM_HLS5},
    {"HLS 6", DLMS_MECHANISM_HLS6},
};
/* Encryption without authentication proves no counter: the server takes it only where the policy is
 * so and HLS 5 proved one. */
static bool possible(size_t security, size_t authentication)
{
    return securities[security].bits != DLMS_SC_ENC ||
           authentications[authentication].mechanism == DLMS_MECHANISM_HLS5;
}

static struct rig rig;

static const char *run_case(size_t link, size_t service, size_t security, size_t authentication)
{
    const struct rig_way way = {.mechanism = authentications[authentication].mechanism,
                                .security = securities[security].bits,
                                .dedicated = securities[security].dedicated,
                                .general = securities[security].general,
                                .gbt_window = rig_services[service].gbt_window};
    const char *wrong = NULL;
    if (!rig_init(&rig, &rig_links[link], &way))
        wrong = "cannot be set up";
    else if (!rig_connect(&rig) || rig.client.state != CLIENT_READY)
        wrong = "no association";
    else
        wrong = rig_services[service].run(&rig);
    rig_end(&rig);
    return wrong;
}

static void matrix_every_combination_works(void **state)
{
    unsigned n = 0, bad = 0;
    (void)state;
    for (size_t l = 0; l < rig_n_links; l++) {
        for (size_t v = 0; v < rig_n_services; v++) {
            for (size_t k = 0; k < N(securities) * N(authentications); k++) {
                size_t s = k / N(authentications), a = k % N(authentications);
                if (!possible(s, a))
                    continue;
                const char *wrong = run_case(l, v, s, a);
                n++;
                if (wrong == NULL)
                    continue;
                if (bad++ < 40)
                    print_error("%s | %s | %s | %s: %s\n", rig_links[l].name, rig_services[v].name,
                                securities[s].name, authentications[a].name, wrong);
            }
        }
    }
    print_message("%u combinations, %u bad\n", n, bad);
    assert_true(n > 12000);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matrix_every_combination_works)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
