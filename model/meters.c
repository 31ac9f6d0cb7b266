/* The rows of meters.h. */
#include "model/meters.h"

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

/* Memory and time. Printed are: MT371's two profiles of 16 channels with 3456 rows of one value,
 * its log book of 64 events, its super-capacitor of 10 days and its 3 minutes a year; Sx402's four
 * profiles, four more for M-Bus, periods, five log books, 32 channels of billing; smartESOX P's
 * several profiles and seven logs; SM307's 9600 rows of 16 channels and 12 months; AD1x's three
 * profiles of 6048 and 312 rows of 6 parameters and 110 months; 0.5 s a day of all but the MT371.
 *
 * Not met: smartESOX P prints up to 50 parameters recorded in reference periods. Its monthly
 * profile has 32, as many as a profile here can have (MODEL_VALUES_MAX; the head-end's day blocks
 * as well).
 *
 * Chosen here, because not printed:
 *   columns      16 where nothing is said, as the two datasheets that say something have it; 4 for
 *                M-Bus, the values that companions give a device
 *   depth        Sx402 and smartESOX P keep load profile 1 for 100 days as SM307 does, an hourly
 *                one for 144 days as MT371, a short one of 10 (5) minutes for a month (a week),
 *                and 400 days of a profile by the day: a year and the weeks until it is read.
 *                M-Bus: 1000 hours. Daily values 400 days, monthly ones 24 months: a month is
 *                compared with the one a year before. AD1x keeps its daily values as long as its
 *                load profile; its third profile, a day of 5 minutes, is what trade begins with
 *   as delivered 15 minutes in load profile 1, which is what head-ends expect; the others as above
 *   width        6 values a row where the printed depth is of fewer: the columns as delivered
 *   logs         100 entries of rare events; 255 of the standard and quality logs, which fill
 *                first. SM307 and AD1x print no names: those of IDIS that their functions fill
 *   reserve      10 years of a battery without mains, 20 where the battery is printed with that;
 *                10 days of a super-capacitor as MT371's
 *   clock        at 23 degrees (IEC 62054-21) where none are printed
 *   outages      3 minutes, EN 50160 and the short power-downs of MT371 */
#define DAY_S      86400u
#define YEAR_S     31557600u
#define PPB_HALF_S 5787u /* 0.5 s a day */
#define PPB_3_MIN  5703u /* 180 s a year */
#define OUTAGE_S   180u
#define MINUTES(n) ((n)*6u) /* in 10 s */
#define BY_THE_DAY 8640u
#define DAILY_400                                                                                  \
    {                                                                                              \
        16, 16, 0, 400                                                                             \
    }

#define MT371_MEMORY                                                                               \
    .profile = {[MODEL_LP1] = {16, 6, MINUTES(15), 3456},                                          \
                [MODEL_LP2] = {16, 6, MINUTES(60), 3456},                                          \
                [MODEL_DAILY] = DAILY_400,                                                         \
                [MODEL_MONTHLY] = {16, 16, 0, 24}},                                                \
    .periods = MODEL_15_MIN | MODEL_30_MIN | MODEL_60_MIN | MODEL_1_DAY,                           \
    .log_depth = {[MODEL_LOG_STANDARD] = 64}, .event_map = MODEL_EVENTS_IDIS,                      \
    .reserve = MODEL_SUPERCAP, .reserve_s = 10 * DAY_S, .clock_ppb = PPB_3_MIN, .clock_c = 25,     \
    .long_outage_s = OUTAGE_S

#define MBUS_1000                                                                                  \
    {                                                                                              \
        4, 4, MINUTES(60), 1000                                                                    \
    }
#define SX402_MEMORY                                                                               \
    .profile = {[MODEL_LP1] = {16, 8, MINUTES(15), DAYS(100)},                                     \
                [MODEL_LP2] = {16, 8, MINUTES(60), 3456},                                          \
                [MODEL_LP3] = {16, 8, MINUTES(10), 4464},                                          \
                [MODEL_LP4] = {16, 16, BY_THE_DAY, 400},                                           \
                [MODEL_MBUS_1] = MBUS_1000,                                                        \
                [MODEL_MBUS_2] = MBUS_1000,                                                        \
                [MODEL_MBUS_3] = MBUS_1000,                                                        \
                [MODEL_MBUS_4] = MBUS_1000,                                                        \
                [MODEL_DAILY] = DAILY_400,                                                         \
                [MODEL_MONTHLY] = {32, 32, 0, 24}},                                                \
    .periods =                                                                                     \
        MODEL_5_MIN | MODEL_10_MIN | MODEL_15_MIN | MODEL_30_MIN | MODEL_60_MIN | MODEL_1_DAY,     \
    .log_depth = {[MODEL_LOG_STANDARD] = 255,                                                      \
                  [MODEL_LOG_FRAUD] = 100,                                                         \
                  [MODEL_LOG_DISCONNECTOR] = 100,                                                  \
                  [MODEL_LOG_QUALITY] = 255,                                                       \
                  [MODEL_LOG_OUTAGE] = 100},                                                       \
    .event_map = MODEL_EVENTS_IDIS, .reserve = MODEL_BATTERY, .reserve_s = 10 * YEAR_S,            \
    .clock_ppb = PPB_HALF_S, .clock_c = 23, .long_outage_s = OUTAGE_S

#define ESOX_MEMORY                                                                                \
    .profile = {[MODEL_LP1] = {16, 16, MINUTES(15), DAYS(100)},                                    \
                [MODEL_LP2] = {16, 8, MINUTES(60), 3456},                                          \
                [MODEL_LP3] = {16, 8, MINUTES(5), 2016},                                           \
                [MODEL_LP4] = {16, 16, BY_THE_DAY, 400},                                           \
                [MODEL_DAILY] = DAILY_400,                                                         \
                [MODEL_MONTHLY] = {32, 32, 0, 24}},                                                \
    .periods = MODEL_ANY_MIN | MODEL_1_DAY,                                                        \
    .log_depth =                                                                                   \
        {[MODEL_LOG_STANDARD] = 255, [MODEL_LOG_FRAUD] = 100,         [MODEL_LOG_QUALITY] = 255,   \
         [MODEL_LOG_LOAD] = 100,     [MODEL_LOG_CONFIGURATION] = 100, [MODEL_LOG_SECURITY] = 100,  \
         [MODEL_LOG_OUTAGE] = 100},                                                                \
    .event_map = MODEL_EVENTS_SEVEN, .reserve = MODEL_BATTERY, .reserve_s = 10 * YEAR_S,           \
    .clock_ppb = PPB_HALF_S, .clock_c = 23, .long_outage_s = OUTAGE_S

#define SM307_MEMORY                                                                               \
    .profile = {[MODEL_LP1] = {16, 16, MINUTES(15), DAYS(100)},                                    \
                [MODEL_DAILY] = DAILY_400,                                                         \
                [MODEL_MONTHLY] = {16, 16, 0, 12}},                                                \
    .periods = MODEL_ANY_MIN,                                                                      \
    .log_depth = {[MODEL_LOG_STANDARD] = 255,                                                      \
                  [MODEL_LOG_FRAUD] = 100,                                                         \
                  [MODEL_LOG_QUALITY] = 255,                                                       \
                  [MODEL_LOG_OUTAGE] = 100},                                                       \
    .event_map = MODEL_EVENTS_IDIS, .reserve = MODEL_BATTERY, .reserve_s = 10 * YEAR_S,            \
    .clock_ppb = PPB_HALF_S, .clock_c = 23, .long_outage_s = OUTAGE_S

#define AD1X_PERIODS                                                                               \
    (MODEL_5_MIN | MODEL_10_MIN | MODEL_15_MIN | MODEL_20_MIN | MODEL_30_MIN | MODEL_60_MIN)
#define AD1X_MEMORY                                                                                \
    .profile = {[MODEL_LP1] = {16, 6, MINUTES(15), DAYS(63)},                                      \
                [MODEL_LP2] = {16, 6, MINUTES(60), 13 * 24},                                       \
                [MODEL_LP3] = {16, 6, MINUTES(5), 288},                                            \
                [MODEL_DAILY] = {16, 6, 0, 63},                                                    \
                [MODEL_MONTHLY] = {16, 6, 0, 110}},                                                \
    .log_depth = {[MODEL_LOG_STANDARD] = 255,                                                      \
                  [MODEL_LOG_FRAUD] = 100,                                                         \
                  [MODEL_LOG_DISCONNECTOR] = 100,                                                  \
                  [MODEL_LOG_QUALITY] = 255,                                                       \
                  [MODEL_LOG_OUTAGE] = 100},                                                       \
    .event_map = MODEL_EVENTS_IDIS, .reserve = MODEL_BATTERY, .reserve_s = 20 * YEAR_S,            \
    .clock_ppb = PPB_HALF_S, .clock_c = 25, .long_outage_s = OUTAGE_S

/* What only people and benches read, last in a row: a build without names has no such fields. */
#if COSEM_WITH_NAMES
#define TEXTS(...) __VA_ARGS__
#else
#define TEXTS(...)
#endif

const struct model_meter model_mt371 = {.name = "MT371",
                                        .type = "371",
                                        .n_phases = 3,
                                        .un_mv = 230000,
                                        .f_mhz = 50000,
                                        .in_ma = 5000,
                                        .imax_ma = 85000,
                                        .ist_ua = 20000,
                                        .u_min_permille = 800,
                                        .u_max_permille = 1150,
                                        .t_min_c = -40,
                                        .t_max_c = 70,
                                        .n_rates = 4,
                                        .pulse_per_kwh = 1000,
                                        .energy_scaler = -1,
                                        .kwh_digits = 8,
                                        MT371_MEMORY,
                                        .features = MODEL_FEATURES_OF(model_mt371),
                                        TEXTS(.kind = "polyphase meter with DLC modem",
                                              .active = "1", .reactive = "2",
                                              .active_table = "62053-21", .active_class = "1",
                                              .reactive_table = "62053-23", .reactive_class = "2")};

const struct model_meter model_sm402d = {
    .name = "SM402D",
    .type = "401",
    .n_phases = 1,
    .un_mv = 230000,
    .f_mhz = 50000,
    .in_ma = 5000,
    .imax_ma = 100000,
    .ist_ua = 20000,
    .u_min_permille = 800,
    .u_max_permille = 1150,
    .t_min_c = -40,
    .t_max_c = 70,
    .n_rates = 8,
    .pulse_per_kwh = 1000,
    .energy_scaler = -1,
    .kwh_digits = 8,
    SX402_MEMORY,
    .features = MODEL_FEATURES_OF(model_sm402d),
    TEXTS(.kind = "single-phase direct meter with cellular modem", .active = "1 (B)",
          .reactive = "2", .active_table = "62053-21", .active_class = "1",
          .reactive_table = "62053-23", .reactive_class = "2")};

const struct model_meter model_st402d = {
    .name = "ST402D",
    .type = "403",
    .n_phases = 3,
    .un_mv = 230000,
    .f_mhz = 50000,
    .in_ma = 5000,
    .imax_ma = 100000,
    .ist_ua = 20000,
    .u_min_permille = 800,
    .u_max_permille = 1150,
    .t_min_c = -40,
    .t_max_c = 70,
    .n_rates = 8,
    .pulse_per_kwh = 1000,
    .energy_scaler = -1,
    .kwh_digits = 8,
    SX402_MEMORY,
    .features = MODEL_FEATURES_OF(model_st402d),
    TEXTS(.kind = "three-phase direct meter with cellular modem", .active = "1 (B)",
          .reactive = "2", .active_table = "62053-21", .active_class = "1",
          .reactive_table = "62053-23", .reactive_class = "2")};

const struct model_meter model_st402c = {
    .name = "ST402C",
    .type = "404",
    .n_phases = 3,
    .is_ct = true,
    .un_mv = 230000,
    .f_mhz = 50000,
    .in_ma = 5000,
    .imax_ma = 6000,
    .ist_ua = 5000,
    .u_min_permille = 800,
    .u_max_permille = 1150,
    .t_min_c = -40,
    .t_max_c = 70,
    .n_rates = 8,
    .pulse_per_kwh = 10000,
    .energy_scaler = -2,
    .kwh_digits = 8,
    SX402_MEMORY,
    .features = MODEL_FEATURES_OF(model_st402c),
    TEXTS(.kind = "three-phase CT meter with cellular modem", .active = "0.5S (C)", .reactive = "2",
          .active_table = "62053-22", .active_class = "0.5S", .reactive_table = "62053-23",
          .reactive_class = "2")};

const struct model_meter model_smartesox_p = {
    .name = "SMARTESOX-P",
    .type = "700",
    .n_phases = 3,
    .is_ct = true,
    .un_mv = 230000,
    .f_mhz = 50000,
    .in_ma = 5000,
    .imax_ma = 6000,
    .ist_ua = 5000,
    .t_min_c = -40,
    .t_max_c = 70,
    .n_rates = 6,
    .pulse_per_kwh = 20000,
    .energy_scaler = -2,
    .kwh_digits = 8,
    ESOX_MEMORY,
    .features = MODEL_FEATURES_OF(model_smartesox_p),
    TEXTS(.kind = "three-phase four-quadrant CT/VT meter", .active = "C", .reactive = "2",
          .active_table = "50470-3", .active_class = "C", .reactive_table = "62053-23",
          .reactive_class = "2")};

const struct model_meter model_sm307 = {.name = "SM307",
                                        .type = "307",
                                        .n_phases = 3,
                                        .is_ct = true,
                                        .un_mv = 110000,
                                        .f_mhz = 50000,
                                        .in_ma = 1000,
                                        .imax_ma = 10000,
                                        .ist_ua = 1000,
                                        .ist_reactive_ua = 4000,
                                        .u_min_permille = 800,
                                        .u_max_permille = 1200,
                                        .t_min_c = -40,
                                        .t_max_c = 70,
                                        .n_rates = 4,
                                        .pulse_per_kwh = 10000,
                                        .energy_scaler = -2,
                                        .kwh_digits = 8,
                                        SM307_MEMORY,
                                        .features = MODEL_FEATURES_OF(model_sm307),
                                        TEXTS(.kind = "three-phase CT/VT meter", .active = "0.5S",
                                              .reactive = "1", .active_table = "62053-22",
                                              .active_class = "0.5S", .reactive_table = "62053-24",
                                              .reactive_class = "1")};

const struct model_meter model_ad11a = {.name = "AD11A",
                                        .type = "111",
                                        .n_phases = 1,
                                        .un_mv = 240000,
                                        .f_mhz = 50000,
                                        .in_ma = 5000,
                                        .imax_ma = 100000,
                                        .ist_ua = 20000,
                                        .ist_reactive_ua = 25000,
                                        .u_min_permille = 700,
                                        .u_max_permille = 1200,
                                        .t_min_c = -40,
                                        .t_max_c = 85,
                                        .n_rates = 6,
                                        .pulse_per_kwh = 1000,
                                        .energy_scaler = -1,
                                        .kwh_digits = 8,
                                        AD1X_MEMORY,
                                        .periods = AD1X_PERIODS | MODEL_1_MIN,
                                        .features = MODEL_FEATURES_OF(model_ad11a),
                                        TEXTS(.kind = "single-phase direct meter with PRIME modem",
                                              .active = "B (1)", .reactive = "2",
                                              .active_table = "50470-3", .active_class = "B",
                                              .reactive_table = "62053-23", .reactive_class = "2")};

const struct model_meter model_ad13a = {.name = "AD13A",
                                        .type = "113",
                                        .n_phases = 3,
                                        .un_mv = 240000,
                                        .f_mhz = 50000,
                                        .in_ma = 5000,
                                        .imax_ma = 100000,
                                        .ist_ua = 20000,
                                        .ist_reactive_ua = 25000,
                                        .u_min_permille = 700,
                                        .u_max_permille = 1200,
                                        .t_min_c = -40,
                                        .t_max_c = 85,
                                        .n_rates = 6,
                                        .pulse_per_kwh = 1000,
                                        .energy_scaler = -1,
                                        .kwh_digits = 8,
                                        AD1X_MEMORY,
                                        .periods = AD1X_PERIODS,
                                        .features = MODEL_FEATURES_OF(model_ad13a),
                                        TEXTS(.kind = "three-phase direct meter with PRIME modem",
                                              .active = "B (1)", .reactive = "2",
                                              .active_table = "50470-3", .active_class = "B",
                                              .reactive_table = "62053-23", .reactive_class = "2")};

static const struct model_meter *const meters[] = {&model_mt371,  &model_sm402d,      &model_st402d,
                                                   &model_st402c, &model_smartesox_p, &model_sm307,
                                                   &model_ad11a,  &model_ad13a};
#define N_METERS (sizeof meters / sizeof meters[0])
_Static_assert(N_METERS == 8, "the datasheets describe eight meters");

const struct model_meter *model_meter_at(size_t index)
{
    return index < N_METERS ? meters[index] : NULL;
}

bool model_period_allowed(uint16_t periods, uint32_t period_s)
{
    static const uint8_t minutes[] = {1, 5, 10, 15, 20, 30, 60}; /* of bit 0, 1 .. */
    for (unsigned i = 0; i < sizeof minutes; i++) {
        if (((unsigned)periods >> i & 1u) != 0 && period_s == minutes[i] * 60u)
            return true;
    }
    if ((periods & MODEL_1_DAY) != 0 && period_s == DAY_S)
        return true;
    return (periods & MODEL_ANY_MIN) != 0 && period_s >= 60 && period_s <= 3600 &&
           period_s % 60 == 0;
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
        if (same_name(meters[i]->name, name))
            return meters[i];
    }
    return NULL;
}
