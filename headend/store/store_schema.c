/* The schema, as numbered steps: step k leads from version k to k + 1 (PRAGMA user_version), and a
 * step once released is never edited. All missing steps are one transaction: a store is of one
 * version or of another, also after kill -9. Tables and views are described in docs/SPEC-store.md.
 *
 * The views are for people with sqlite3 in their hand; the program does not read them. */
#include "headend/store/store_parts.h"

#include "lib/cosem/units.h"

#include <stdio.h>

/* One octet of a logical name as a number: SQL has no other way from a blob to its octets. */
#define NIBBLE(ln, place)    "(instr('123456789ABCDEF',substr(hex(" ln ")," place ",1)))"
#define OCTET(ln, high, low) "(" NIBBLE(ln, high) "*16+" NIBBLE(ln, low) ")"
#define OBIS(ln)                                                                                   \
    OCTET(ln, "1", "2")                                                                            \
    "||'-'||" OCTET(ln, "3", "4") "||':'||" OCTET(ln, "5", "6") "||'.'||" OCTET(                   \
        ln, "7", "8") "||'.'||" OCTET(ln, "9", "10") "||'.'||" OCTET(ln, "11", "12")
/* Divided where the scaler is negative: 1234 and -1 are 123.4, not 123.40000000000001. */
#define SCALED(v, t)                                                                               \
    "CASE WHEN " t ".scaler<0 THEN " v "*1.0*" t ".mul_num/" t ".mul_den/CAST('1e'||(-" t          \
    ".scaler)AS REAL) ELSE " v "*1.0*" t ".mul_num/" t ".mul_den*CAST('1e'||" t                    \
    ".scaler AS REAL) END"

#define U32(name, least) name " INTEGER NOT NULL CHECK(" name " BETWEEN " least " AND 4294967295)"
#define U16(name)        name " INTEGER NOT NULL CHECK(" name " BETWEEN 0 AND 65535)"
#define U8(name)         name " INTEGER NOT NULL CHECK(" name " BETWEEN 0 AND 255)"
#define I8(name)         name " INTEGER NOT NULL CHECK(" name " BETWEEN -128 AND 127)"
#define LN               "ln BLOB NOT NULL CHECK(length(ln)=6)"

/* Statements line by line, as the formatter would not leave them. */
// clang-format off
static const char tables_1[] =
    "CREATE TABLE meter("
        "id INTEGER PRIMARY KEY AUTOINCREMENT,"
        "name TEXT NOT NULL UNIQUE CHECK(name<>''),"
        "place TEXT NOT NULL,"
        "url TEXT NOT NULL,"
        U16("client_sap") ","
        U16("server_sap") ","
        "auth INTEGER NOT NULL CHECK(auth BETWEEN 0 AND 2),"
        U8("security") ","
        U32("timeout_ms", "0") ","
        U32("register_period_s", "0") ","
        U32("ct_num", "1") ","
        U32("ct_den", "1") ","
        U32("vt_num", "1") ","
        U32("vt_den", "1") ","
        "enabled INTEGER NOT NULL CHECK(enabled IN(0,1)),"
        "device_name TEXT NOT NULL DEFAULT '',"
        "serial TEXT NOT NULL DEFAULT '',"
        "added_ms INTEGER NOT NULL,"
        "identified_ms INTEGER,"
        "secret BLOB CHECK(length(secret)BETWEEN 1 AND 256))STRICT;"
    "CREATE TABLE counter("
        "meter INTEGER NOT NULL REFERENCES meter,"
        U16("client_sap") ","
        "next INTEGER NOT NULL DEFAULT 0 CHECK(next BETWEEN 0 AND 4294967296),"
        "rx_floor INTEGER NOT NULL DEFAULT 0 CHECK(rx_floor BETWEEN 0 AND 4294967295),"
        "PRIMARY KEY(meter,client_sap))STRICT,WITHOUT ROWID;"
    "CREATE TABLE register("
        "meter INTEGER NOT NULL REFERENCES meter,"
        LN ","
        U8("attribute") ","
        U16("class_id") ","
        I8("scaler") ","
        U8("unit") ","
        U32("mul_num", "1") ","
        U32("mul_den", "1") ","
        "value INTEGER,"
        "at_ms INTEGER CHECK((at_ms IS NULL)=(value IS NULL)),"
        "result INTEGER NOT NULL DEFAULT 0 CHECK(result BETWEEN 0 AND 255),"
        "PRIMARY KEY(meter,ln,attribute))STRICT,WITHOUT ROWID;"
    "CREATE TABLE profile("
        "id INTEGER PRIMARY KEY,"
        "meter INTEGER NOT NULL REFERENCES meter,"
        LN ","
        U32("period_s", "0") ","
        "first_s INTEGER,"
        "last_s INTEGER CHECK((last_s IS NULL)=(first_s IS NULL)AND last_s>=first_s),"
        "read_meter_s INTEGER NOT NULL DEFAULT 0,"
        "read_ms INTEGER NOT NULL DEFAULT 0,"
        "reread INTEGER NOT NULL DEFAULT 0 CHECK(reread IN(0,1)),"
        "UNIQUE(meter,ln))STRICT;"
    "CREATE TABLE layout("
        "id INTEGER PRIMARY KEY,"
        "profile INTEGER NOT NULL REFERENCES profile,"
        U32("period_s", "0") ","
        "n_columns INTEGER NOT NULL CHECK(n_columns BETWEEN 0 AND 32))STRICT;"
    "CREATE INDEX layout_profile ON layout(profile);"
    "CREATE TABLE layout_column("
        "layout INTEGER NOT NULL REFERENCES layout,"
        "place INTEGER NOT NULL CHECK(place BETWEEN 0 AND 31),"
        LN ","
        U16("class_id") ","
        U8("attribute") ","
        U8("unit") ","
        I8("scaler") ","
        U32("mul_num", "1") ","
        U32("mul_den", "1") ","
        "PRIMARY KEY(layout,place))STRICT,WITHOUT ROWID;"
    /* Rows lie in the order of arrival, so pages fill up; the key is an index beside them. */
    "CREATE TABLE lp_block("
        "id INTEGER PRIMARY KEY,"
        "profile INTEGER NOT NULL REFERENCES profile,"
        "day INTEGER NOT NULL CHECK(day BETWEEN 0 AND 157053),"
        "layout INTEGER NOT NULL REFERENCES layout,"
        "version INTEGER NOT NULL CHECK(version>0),"
        "n_rows INTEGER NOT NULL CHECK(n_rows>0),"
        "received_ms INTEGER NOT NULL,"
        "totals TEXT NOT NULL,"
        "block BLOB NOT NULL)STRICT;"
    "CREATE UNIQUE INDEX lp_block_key ON lp_block(profile,day,layout,version DESC);"
    "CREATE TABLE user("
        "name TEXT NOT NULL PRIMARY KEY CHECK(name<>''),"
        "hash TEXT NOT NULL)STRICT,WITHOUT ROWID;"
    "CREATE TABLE session("
        "id INTEGER PRIMARY KEY,"
        "digest BLOB NOT NULL UNIQUE CHECK(length(digest)=32),"
        "user TEXT NOT NULL REFERENCES user,"
        "csrf BLOB NOT NULL CHECK(length(csrf)=32),"
        "made_ms INTEGER NOT NULL,"
        "seen_ms INTEGER NOT NULL,"
        "ends_ms INTEGER NOT NULL)STRICT;"
    "CREATE INDEX session_user ON session(user);"
    /* For the views only. */
    "CREATE TABLE unit("
        "code INTEGER PRIMARY KEY,"
        "symbol TEXT NOT NULL)STRICT;"
    "CREATE VIEW v_meter AS "
        "SELECT id,name,place,url,client_sap AS client,server_sap AS server,"
        "ct_num,ct_den,vt_num,vt_den,enabled,device_name,serial,datetime(added_ms/1000,"
        "'unixepoch')AS added,datetime(identified_ms/1000,'unixepoch')AS identified"
        " FROM meter;"
    "CREATE VIEW v_latest AS "
        "SELECT m.name AS meter," OBIS("r.ln") " AS obis,r.attribute," SCALED("r.value", "r") " AS value,"
        "coalesce(u.symbol,'')AS unit,datetime(r.at_ms/1000,'unixepoch')AS at,"
        "r.result"
        " FROM register r"
        " JOIN meter m ON m.id=r.meter"
        " LEFT JOIN unit u ON u.code=r.unit;"
    /* e: one column's totals, of one, three or four numbers; see docs/SPEC-store.md. */
        "CREATE VIEW v_day_total AS WITH newest AS(SELECT b.profile,b.day,"
        "b.layout,b.version,b.n_rows,e.key AS place,json_array_length(e.value)=3 AS short,"
        "json_extract(e.value,'$[0]')AS a,json_extract(e.value,'$[1]')AS b,"
        "json_extract(e.value,'$[2]')AS c,json_extract(e.value,'$[3]')AS d"
        " FROM lp_block b,json_each(b.totals)e"
        " WHERE NOT EXISTS(SELECT 1"
        " FROM lp_block n"
        " WHERE n.profile=b.profile AND n.day=b.day AND n.layout=b.layout AND n.version>b.version)),"
        "raw AS(SELECT profile,day,layout,version,n_rows,place,iif(short,"
        "n_rows,a)AS n_values,iif(short,a,b)AS first,iif(short,a+b,c)AS last,"
        "iif(short,c+n_rows*a,d)AS sum"
        " FROM newest)"
        "SELECT m.name AS meter," OBIS("p.ln") " AS profile,date(t.day*86400,"
        "'unixepoch')AS day," OBIS("c.ln") " AS obis,t.n_rows,iif(l.period_s>0,"
        "86400/max(l.period_s,1),NULL)AS n_expected,t.n_values," SCALED("t.sum", "c") " AS sum,"
        SCALED("t.first", "c") " AS first," SCALED("t.last", "c") " AS last,"
        "coalesce(u.symbol,'')AS unit,t.version,l.id AS layout"
        " FROM raw t"
        " JOIN profile p ON p.id=t.profile"
        " JOIN meter m ON m.id=p.meter"
        " JOIN layout l ON l.id=t.layout"
        " JOIN layout_column c ON c.layout=t.layout AND c.place=t.place"
        " LEFT JOIN unit u ON u.code=c.unit;"
    "PRAGMA application_id=1178948178;";
// clang-format on

_Static_assert(STORE_APPLICATION_ID == 1178948178, "as in the text above");
_Static_assert(STORE_N_DAYS == 157054, "one more than in the check of lp_block.day");

static enum err units_1(struct store *s)
{
    struct ask a = ask_text_of(s, "INSERT INTO unit(code,symbol) VALUES(?,?)");
    for (unsigned code = 0; code < 256 && a.err == ERR_OK; code++) {
        const char *symbol = cosem_unit_text((uint8_t)code);
        if (!symbol)
            continue;
        sqlite3_reset(a.st);
        a.at = 0;
        ask_int(&a, code);
        ask_text(&a, symbol);
        (void)ask_row(&a);
    }
    return ask_end(&a);
}

/* When a meter's newest value came in: a list of all meters would read all registers for it. */
static const char newest_2[] =
    "CREATE TABLE register_newest("
    "meter INTEGER PRIMARY KEY REFERENCES meter,"
    "at_ms INTEGER)STRICT;"
    "INSERT INTO register_newest SELECT meter,max(at_ms) FROM register GROUP BY meter;";

const struct store_step store_steps[] = {{.sql = tables_1, .also = units_1}, {.sql = newest_2}};
const unsigned store_n_steps = sizeof store_steps / sizeof store_steps[0];

static enum err take_step(struct store *s, const struct store_step *step, unsigned version)
{
    char pragma[48];
    enum err err = store_exec(s, step->sql);
    if (err == ERR_OK && step->also)
        err = step->also(s);
    snprintf(pragma, sizeof pragma, "PRAGMA user_version=%u", version);
    return err == ERR_OK ? store_exec(s, pragma) : err;
}

enum err store_migrate(struct store *s, const struct store_step *steps, unsigned n)
{
    int64_t version = 0;
    enum err err = store_number(s, "PRAGMA user_version", &version);
    if (err != ERR_OK || version == (int64_t)n)
        return err;
    err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = store_number(s, "PRAGMA user_version", &version); /* another may have been faster */
    if (err == ERR_OK && version > (int64_t)n)
        err = store_fail(s, ERR_VERSION, "schema %d is newer than %u", (int)version, n);
    for (unsigned k = (unsigned)version; err == ERR_OK && k < n; k++)
        err = take_step(s, &steps[k], k + 1);
    return store_write_end(s, err, true);
}
