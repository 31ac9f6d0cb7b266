/* The rows of meters.h. */
#include "model/meters.h"

#define FOUR_QUADRANTS                                                                             \
    (MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_ABSOLUTE | MODEL_APPARENT | MODEL_EXPORT)
#define DAYS(n) ((n)*96u) /* rows of 15 minutes */

/* Where a datasheet offers a choice the row is one order of it and orders.c has the others: MT371
 * In 5 A, Imax 85 A, class 1 with the reactive option; Sx402 class B direct, class C with
 * transformers; smartESOX P class C, 3x230/400 V and 5 A. Not printed and chosen here: the LED
 * constant of the MT371; the profile depth of Sx402 and smartESOX P (as SM307's); starting currents
 * of Sx402 and smartESOX P (IEC 62053-21 and -22: 0.004 Ib direct, 0.001 In class C). AD1x prints
 * Ist 0.04 Iref and 0.05 Iref reactive; a tenth of them meets both readings. SM307: 3x110 V is
 * taken as the voltage of an element. MT371 keeps 144 days of hours: 3456 rows at any period.
 *
 * Rates: smartESOX P 6, AD1x 6, Sx402 8, MT371 4; SM307 4, which with its 8 energies makes the
 * printed 32 registers.
 *
 * Energy counts 0.1 Wh where connected directly and 0.01 Wh behind transformers: finer than one LED
 * pulse, so that a register never moves without a pulse having been due. AD1x and SM307 print eight
 * digits: every register rolls over at 10^8 kWh, so that a display of eight digits with any number
 * of decimals shows the end of the register and both roll over together. */
static const struct model_meter meters[] = {
    {
        .name = "MT371",
        .type = "371",
        .kind = "polyphase meter with DLC modem",
        .n_phases = 3,
        .un_mv = 230000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 85000,
        .ist_ua = 20000,
        .active = "1",
        .reactive = "2",
        .active_table = "62053-21",
        .active_class = "1",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 800,
        .u_max_permille = 1150,
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 4,
        .pulse_per_kwh = 1000,
        .energy_scaler = -1,
        .kwh_digits = 8,
        .profile_depth = 3456,
        .features = MODEL_REACTIVE | MODEL_EXPORT | MODEL_PHASE_ENERGY | MODEL_UNBALANCE,
    },
    {
        .name = "SM402D",
        .type = "401",
        .kind = "single-phase direct meter with cellular modem",
        .n_phases = 1,
        .un_mv = 230000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 100000,
        .ist_ua = 20000,
        .active = "1 (B)",
        .reactive = "2",
        .active_table = "62053-21",
        .active_class = "1",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 800,
        .u_max_permille = 1150,
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 8,
        .pulse_per_kwh = 1000,
        .energy_scaler = -1,
        .kwh_digits = 8,
        .profile_depth = DAYS(100),
        .features = FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_LED_SET,
    },
    {
        .name = "ST402D",
        .type = "403",
        .kind = "three-phase direct meter with cellular modem",
        .n_phases = 3,
        .un_mv = 230000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 100000,
        .ist_ua = 20000,
        .active = "1 (B)",
        .reactive = "2",
        .active_table = "62053-21",
        .active_class = "1",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 800,
        .u_max_permille = 1150,
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 8,
        .pulse_per_kwh = 1000,
        .energy_scaler = -1,
        .kwh_digits = 8,
        .profile_depth = DAYS(100),
        .features = FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_PHASE_ENERGY | MODEL_LED_SET,
    },
    {
        .name = "ST402C",
        .type = "404",
        .kind = "three-phase CT meter with cellular modem",
        .n_phases = 3,
        .is_ct = true,
        .un_mv = 230000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 6000,
        .ist_ua = 5000,
        .active = "0.5S (C)",
        .reactive = "2",
        .active_table = "62053-22",
        .active_class = "0.5S",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 800,
        .u_max_permille = 1150,
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 8,
        .pulse_per_kwh = 10000,
        .energy_scaler = -2,
        .kwh_digits = 8,
        .profile_depth = DAYS(100),
        .features = FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_PHASE_ENERGY |
                    MODEL_LED_SET | MODEL_RATIOS,
    },
    {
        .name = "SMARTESOX-P",
        .type = "700",
        .kind = "three-phase four-quadrant CT/VT meter",
        .n_phases = 3,
        .is_ct = true,
        .un_mv = 230000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 6000,
        .ist_ua = 5000,
        .active = "C",
        .reactive = "2",
        .active_table = "50470-3",
        .active_class = "C",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 6,
        .pulse_per_kwh = 20000,
        .energy_scaler = -2,
        .kwh_digits = 8,
        .profile_depth = DAYS(100),
        .features = MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_APPARENT | MODEL_EXPORT |
                    MODEL_NEUTRAL | MODEL_THD | MODEL_ANGLES | MODEL_LOSSES | MODEL_RATIOS |
                    MODEL_UNBALANCE,
    },
    {
        .name = "SM307",
        .type = "307",
        .kind = "three-phase CT/VT meter",
        .n_phases = 3,
        .is_ct = true,
        .un_mv = 110000,
        .f_mhz = 50000,
        .in_ma = 1000,
        .imax_ma = 10000,
        .ist_ua = 1000,
        .active = "0.5S",
        .reactive = "1",
        .ist_reactive_ua = 4000,
        .active_table = "62053-22",
        .active_class = "0.5S",
        .reactive_table = "62053-24",
        .reactive_class = "1",
        .u_min_permille = 800,
        .u_max_permille = 1200,
        .t_min_c = -40,
        .t_max_c = 70,
        .n_rates = 4,
        .pulse_per_kwh = 10000,
        .energy_scaler = -2,
        .kwh_digits = 8,
        .profile_depth = DAYS(100),
        .features = MODEL_REACTIVE | MODEL_ABSOLUTE | MODEL_APPARENT | MODEL_EXPORT | MODEL_ANGLES |
                    MODEL_RATIOS | MODEL_UNBALANCE,
    },
    {
        .name = "AD11A",
        .type = "111",
        .kind = "single-phase direct meter with PRIME modem",
        .n_phases = 1,
        .un_mv = 240000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 100000,
        .ist_ua = 20000,
        .active = "B (1)",
        .reactive = "2",
        .ist_reactive_ua = 25000,
        .active_table = "50470-3",
        .active_class = "B",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 700,
        .u_max_permille = 1200,
        .t_min_c = -40,
        .t_max_c = 85,
        .n_rates = 6,
        .pulse_per_kwh = 1000,
        .energy_scaler = -1,
        .kwh_digits = 8,
        .profile_depth = DAYS(63),
        .features = MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_EXPORT | MODEL_NEUTRAL | MODEL_THD |
                    MODEL_DIFFERENTIAL | MODEL_AVERAGES,
    },
    {
        .name = "AD13A",
        .type = "113",
        .kind = "three-phase direct meter with PRIME modem",
        .n_phases = 3,
        .un_mv = 240000,
        .f_mhz = 50000,
        .in_ma = 5000,
        .imax_ma = 100000,
        .ist_ua = 20000,
        .active = "B (1)",
        .reactive = "2",
        .ist_reactive_ua = 25000,
        .active_table = "50470-3",
        .active_class = "B",
        .reactive_table = "62053-23",
        .reactive_class = "2",
        .u_min_permille = 700,
        .u_max_permille = 1200,
        .t_min_c = -40,
        .t_max_c = 85,
        .n_rates = 6,
        .pulse_per_kwh = 1000,
        .energy_scaler = -1,
        .kwh_digits = 8,
        .profile_depth = DAYS(63),
        .features = MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_EXPORT | MODEL_NEUTRAL | MODEL_THD |
                    MODEL_ANGLES | MODEL_PHASE_ENERGY | MODEL_DIFFERENTIAL | MODEL_AVERAGES,
    },
};
#define N_METERS (sizeof meters / sizeof meters[0])
_Static_assert(N_METERS == 8, "the datasheets describe eight meters");

const struct model_meter *model_meter_at(size_t index)
{
    return index < N_METERS ? &meters[index] : NULL;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && upper(*a) == upper(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

const struct model_meter *model_meter_find(const char *name)
{
    for (size_t i = 0; i < N_METERS; i++) {
        if (same_name(meters[i].name, name))
            return &meters[i];
    }
    return NULL;
}
