/* Saved connections: written, listed, read; what must not be in them; what is wrong with one. */
#include "tests/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct command c;
static char dir[64], keys[96], url[COMMAND_URL];
static pid_t meter;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/ferraris-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(keys, sizeof keys, "%s/keys", dir);
    assert_int_equal(setenv("XDG_CONFIG_HOME", dir, 1), 0);
    meter = command_meter((const char *const[]){"meter", "--listen", "127.0.0.1:0", "--keys", keys,
                                                "--speed", "0", NULL},
                          url, sizeof url);
    return 0;
}

static int tear_down(void **state)
{
    char line[160];
    (void)state;
    command_stop(meter);
    snprintf(line, sizeof line, "rm -r %s", dir);
    return system(line);
}

static void expect(int code, const char *on_out, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_out != NULL && strstr(c.out, on_out) == NULL)
        fail_msg("no '%s' in: %s", on_out, c.out);
    if (on_err != NULL && strstr(c.err, on_err) == NULL)
        fail_msg("no '%s' in: %s", on_err, c.err);
}

static void path_of(const char *name, char out[256])
{
    snprintf(out, 256, "%s/ferraris/profiles/%s", dir, name);
}

static void write_connection(const char *name, const char *text)
{
    char path[256];
    path_of(name, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void connections_keep_the_address_and_the_options(void **state)
{
    char path[256], word[256];
    struct stat st;
    (void)state;
    COMMAND(&c, NULL, "connections");
    expect(0, NULL, "none saved");
    COMMAND(&c, NULL, "read", "--save-profile", "cellar", "--auth", "hls5", "--keys", keys,
            "--timeout", "7", "--general", url, "0-0:42.0.0.255");
    expect(0, "Logical device name", NULL);
    path_of("cellar", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    COMMAND(&c, NULL, "connections", "cellar");
    snprintf(word, sizeof word, "url = %s\nauth = hls5\nkeys = %s\n", url, keys);
    expect(0, word, NULL);
    expect(0, "timeout = 7\n", NULL);
    expect(0, "general = yes\n", NULL);
    assert_null(strstr(c.out, "password"));
    assert_null(strstr(c.out, "max-pdu")); /* not given */
    COMMAND(&c, NULL, "connections");
    expect(0, "cellar", NULL);
    expect(0, url, NULL);
    COMMAND(&c, NULL, "read", "--profile", "cellar", "1-0:1.8.0.255"); /* needs hls5 */
    expect(0, "Active energy", NULL);
    COMMAND(&c, NULL, "clock", "--profile=cellar");
    expect(0, "meter", NULL);
}

static void connections_give_way_to_the_command_line(void **state)
{
    char text[256];
    (void)state;
    snprintf(text, sizeof text, "# a meter\n\n  url=tcp://127.0.0.1:1 \nauth = hls5\n keys = %s\n",
             keys);
    write_connection("other", text);
    COMMAND(&c, NULL, "read", "--profile", "other", "0-0:42.0.0.255");
    expect(3, NULL, "cannot reach 127.0.0.1 port 1");
    COMMAND(&c, NULL, "read", "--profile", "other", url, "1-0:1.8.0.255");
    expect(0, "Active energy", NULL);
    COMMAND(&c, NULL, "read", "--auth", "none", "--profile", "other", url, "1-0:1.8.0.255");
    expect(1, NULL, "1-0:1.8.0.255"); /* the public client may not */
}

static void connections_say_what_is_wrong(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--profile", "nowhere", "0-0:42.0.0.255");
    expect(2, NULL, "no connection 'nowhere'");
    COMMAND(&c, NULL, "read", "--profile", "../keys", "0-0:42.0.0.255");
    expect(2, NULL, "no name of a connection");
    COMMAND(&c, NULL, "read", "--save-profile", ".x", url, "0-0:42.0.0.255");
    expect(2, NULL, "no name of a connection");
    COMMAND(&c, NULL, "clock", "--save-profile", "x");
    expect(2, NULL, "wants an address");
    write_connection("bad", "url = tcp://127.0.0.1\ncolour = blue\n");
    COMMAND(&c, NULL, "read", "--profile", "bad", "0-0:42.0.0.255");
    expect(4, NULL, "connection bad, line 2: unknown name 'colour'");
    write_connection("bad", "just words\n");
    COMMAND(&c, NULL, "read", "--profile", "bad", "0-0:42.0.0.255");
    expect(4, NULL, "line 1: not `name = value`");
    write_connection("bad", "timeout = soon\n");
    COMMAND(&c, NULL, "read", "--profile", "bad", url, "0-0:42.0.0.255");
    expect(4, NULL, "connection bad, line 1");
    write_connection("bad", "general = maybe\n");
    COMMAND(&c, NULL, "read", "--profile", "bad", url, "0-0:42.0.0.255");
    expect(4, NULL, "yes or no");
    write_connection("bad", "counter = read\n"); /* of one call, not of a connection */
    COMMAND(&c, NULL, "read", "--profile", "bad", url, "0-0:42.0.0.255");
    expect(4, NULL, "unknown name 'counter'");
    COMMAND(&c, NULL, "clock", "one", "two");
    expect(2, NULL, "one word too many");
}

static void client_options_are_checked(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--auth", "hls7", url, "0-0:42.0.0.255");
    expect(2, NULL, "not supported yet");
    COMMAND(&c, NULL, "read", "--auth", "hls9", url, "0-0:42.0.0.255");
    expect(2, NULL, "'hls9'");
    COMMAND(&c, NULL, "read", "--dedicated", url, "0-0:42.0.0.255");
    expect(2, NULL, "--security");
    COMMAND(&c, NULL, "read", "--gbt", "64", url, "0-0:42.0.0.255");
    expect(2, NULL, "--gbt");
    COMMAND(&c, NULL, "read", "--client", "128", "hdlc+tcp://127.0.0.1:1", "0-0:42.0.0.255");
    expect(2, NULL, "HDLC has client addresses to 127");
    COMMAND(&c, NULL, "read", "udp://127.0.0.1:1", "0-0:42.0.0.255");
    expect(3, NULL, "127.0.0.1:1");
    COMMAND(&c, NULL, "read", "serial:///dev/no-such-tty", "0-0:42.0.0.255");
    expect(3, NULL, "/dev/no-such-tty");
    COMMAND(&c, NULL, "read", "serial:///dev/null", "0-0:42.0.0.255");
    expect(3, NULL, "no serial line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_keep_the_address_and_the_options),
        cmocka_unit_test(connections_give_way_to_the_command_line),
        cmocka_unit_test(connections_say_what_is_wrong),
        cmocka_unit_test(client_options_are_checked)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
