/* Prints docs/EVENTS.md: which events the eight meters report, in which log and by which code each
 * companion keeps them, and how many entries a log holds.
 *
 * Problem: a list of codes written by hand is wrong after the next change. The tables are those the
 * meter runs on (model/events.def, model/meters.c); the rules are told once, here. */
#include "model/events.h"

#include "firmware/meter/meter_log.h"

#include <stdio.h>

static const char head[] =
    "# Events and event logs\n"
    "\n"
    "Printed by `make docs` from `model/events.def` and the rows of the models.\n"
    "\n"
    "## Rules\n"
    "1. An entry is a time and a code. It is in the flash before the next answer leaves the meter, "
    "and none is there twice, whatever the power does. What a snapshot decides (clock set, power "
    "up and down, a log emptied) and its entry are both there after any power cut, or neither. "
    "Of a change with a key of its own whose answer was cut off, the entry may be missing; "
    "the audit trail has the legal ones even then.\n"
    "2. Each log has a ring of its own. A full one loses its oldest entry; filling or clearing one "
    "leaves the others as they are. An event whose log a meter lacks is in its standard log.\n"
    "3. Method 1 of a log (manager) empties it; its first entry then is \"event log cleared\". The "
    "power failure log has no codes: that it was cleared stands in another log.\n"
    "4. `0-0:96.11.E` shows the newest code of a log. Codes in `0-0:96.133.E` (manager, at most %u "
    "octets) are not entered.\n"
    "5. \"Power down\" is entered at the power-up, with the last time the meter knew: exact after "
    "a "
    "warning of the supply, up to a minute early without one.\n"
    "6. What begins and ends has two entries, with the times when it began and when it was back; "
    "an "
    "end is entered if and only if its begin was. Where one code serves all phases, the first "
    "begin "
    "and the last end count. Dips, swells and interruptions are entered when they begin.\n"
    "7. An event has room for %u entries at once and gets room for one more each hour; one that a "
    "power-up brings (power down, power up, clock invalid, memory damaged) gets one more each day; "
    "one that anybody at a port can cause has room for %u and gets one more each day. The first "
    "beyond that is entered as \"left out\", once until all the room is back. A power cut renews "
    "no "
    "room, and hours without supply count. So the worst fault brings 24 entries a day (and as many "
    "ends), a supply that flickers one each of down and up, whoever attacks a port one, and the 20 "
    "years' entries of every fault at once erase no sector 100 000 times. Outages count, and long "
    "ones are in the power failure log, also where \"power down\" and \"power up\" are left out.\n"
    "8. Of %u failed authentications of a client in a row one is an event.\n";

static const char outages[] =
    "\n## Outages\n"
    "An outage counts when it ends, whatever the clock was set to in between. From `0-0:96.7.20` "
    "(seconds) on it is long and, of any phase, an entry of the power failure log: the time of the "
    "return and the seconds; below that it is short, and below `0-0:96.7.130` it does not count. "
    "When the crystal stood still, too, it is long and of 0 s: nobody knows.\n"
    "\n"
    "| | all phases | L1, L2, L3 | any phase |\n"
    "|---|---|---|---|\n"
    "| number | 0-0:96.7.0 | .1 .2 .3 | .21 |\n"
    "| of these long | 0-0:96.7.5 | .6 .7 .8 | .9 |\n"
    "| last long one, s | 0-0:96.7.15 | .16 .17 .18 | .19 |\n"
    "| of these short | 0-0:96.7.129 | | |\n"
    "| time without supply, s | 0-0:96.7.128 | | |\n";

/* A row that has every log, so that each event is where its map wants it. */
static struct model_meter whole(enum model_event_map map)
{
    struct model_meter m = {.event_map = (uint8_t)map};
    for (unsigned log = 0; log < MODEL_N_LOGS; log++)
        m.log_depth[log] = 1;
    return m;
}

static void put_place(enum model_event_map map, enum model_event e)
{
    const struct model_meter m = whole(map);
    struct model_event_place place;
    if (!model_event_place(&m, e, &place))
        printf(" |");
    else if (e == MODEL_EVENT_LEFT_OUT || e == MODEL_EVENT_LOG_CLEARED)
        printf(" the log itself %u |", (unsigned)place.code);
    else
        printf(" %s %u |", model_log_text(place.log), (unsigned)place.code);
}

static void put_events(void)
{
    printf(
        "\n## Codes\n\nThe seven groups are those of the smartESOX. A code of 200 and more is the "
        "manufacturer's.\n\n| event | IDIS | DSMR | seven groups |\n|---|---|---|---|\n");
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        printf("| %s |", model_event_text(e));
        for (unsigned map = MODEL_EVENTS_IDIS; map <= MODEL_EVENTS_SEVEN; map++)
            put_place((enum model_event_map)map, (enum model_event)e);
        printf("\n");
    }
}

static void put_object(const struct model_meter *m, unsigned log)
{
    if (log == MODEL_LOG_OUTAGE) {
        printf("1-0:99.97.0");
        return;
    }
    for (unsigned e = 0; e < MODEL_LOG_CODES; e++) {
        if (model_log_at(m, e) == log)
            printf("0-0:99.98.%u", e);
    }
}

static void put_logs(void)
{
    static const char *const map[] = {"IDIS", "DSMR", "seven groups"};
    printf("\n## Logs\n\n| meter | codes | logs: object, entries always kept |\n|---|---|---|\n");
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        const struct model_meter *m = model_meter_at(i);
        printf("| %s | %s |", m->name, map[m->event_map]);
        for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
            if (m->log_depth[log] == 0)
                continue;
            printf(" %s ", model_log_text(log));
            put_object(m, log);
            printf(" %u;", (unsigned)m->log_depth[log]);
        }
        printf(" |\n");
    }
}

int main(void)
{
    printf(head, METER_LOG_FILTER_MAX, METER_LOG_BURST, METER_LOG_LINE_BURST, METER_LOG_REFUSALS);
    put_logs();
    put_events();
    printf("%s", outages);
    return 0;
}
