/* Where `ferraris typetest` puts its page, so that nobody finds half of one.
 *
 * The page is written beside its place under the name FILE.part and renamed when it is whole: until
 * then what stood there stays, whatever ends the program. Pipes and devices are written straight.
 * Not for anything but this verb's page. */
#ifndef FERRARIS_CLI_TYPETEST_PAGE_H
#define FERRARIS_CLI_TYPETEST_PAGE_H

#include "cli/cli.h"
#include "sim/typetest.h"

struct typetest_page {
    char path[1024], part[1040]; /* part "": straight */
};

/* Finds the place and tries it, before minutes of work. `model` NULL: `where` is the file; else it
 * is a folder, made when it is not there, and the file in it is named after the model. Leaves no
 * file behind. CLI_DONE, or CLI_NO after a message. */
int typetest_page_open(const struct cli_verb *v, const char *where, const char *model,
                       struct typetest_page *out);
/* CLI_DONE, or CLI_NO after a message; a page that was there is then as it was. */
int typetest_page_write(const struct cli_verb *v, const struct typetest_page *p,
                        const struct typetest_report *r);

#endif
