/* What an image tells at the moments that matter: the test's image its stack, by semihosting; the
 * product's nothing (report_*.c, chosen by the linker). */
#ifndef FERRARIS_IMAGES_REPORT_H
#define FERRARIS_IMAGES_REPORT_H

/* `when` is one word or a few: "closed", "begun". */
void image_report(const char *when);

#endif
