/* A meter's image in QEMU and a client of it, for the programs that lead a conversation.
 *
 * The meter's serial line is QEMU's standard input and output, its supply's supervisor a second
 * serial line; its reports come by semihosting on standard error. The keys are drawn for each run
 * and laid into the meter's page of keys by QEMU's loader device, as a personalisation would.
 * Everything here works or ends the program with 1 and a line that says why: callers check nothing.
 * One meter in a process. */
#ifndef FERRARIS_TESTS_QEMU_METER_H
#define FERRARIS_TESTS_QEMU_METER_H

#include "lib/cosem/client.h"
#include "lib/dlms/axdr.h"

#include <stddef.h>
#include <stdint.h>

#define PATIENCE_MS 20000

/* `program` is named in complaints. Draws the keys and starts the image. */
void qemu_start(const char *program, const char *image);
void qemu_stop(void);
__attribute__((format(printf, 1, 2), noreturn)) void qemu_fail(const char *format, ...);
/* Waits for a report "WHEN stack USED of SIZE lost OCTETS"; gives USED. No octet may be lost and
 * the stack must have 256 octets left. Reports of other moments are passed over. */
unsigned long qemu_report(const char *when);
/* A word to the supervisor: 'F' the supply fails, 'C' it is cut. The association is gone. */
void qemu_supply(char what);
/* Time passes for the meter while nobody asks it anything. */
void qemu_wait_ms(unsigned ms);

/* As public client, or with HLS 5, authenticated and encrypted; counters go on. */
void qemu_associate(uint16_t sap, bool secure);
/* Asks as public client for the least counter that the meter accepts from the management client
 * (0-0:43.1.1) and goes on from there: after a cut it may be ahead of ours (meter_tell.h). */
void qemu_follow_counter(void);
void qemu_release(void);
/* The line is dead: forgets the association without a word. */
void qemu_drop(void);
struct apdu_attr attr_of(uint16_t class_id, const uint8_t ln[6], uint8_t id);
/* The value stays until the next call. */
struct rd get(const struct apdu_attr *a, enum cosem_result want);
/* Whatever the answer is. */
enum cosem_result try_get(const struct apdu_attr *a, struct rd *value);
enum cosem_result try_set(const struct apdu_attr *a, struct bytes octets);
void set(struct apdu_attr a, struct bytes octets, enum cosem_result want);
void act(struct apdu_attr a, enum cosem_result want); /* with the parameter integer 0 */
/* Elements of an array that is the whole value. */
size_t rows_of(struct apdu_attr *a);
/* The clock 0-0:1.0.0 is set to this instant, and shows it. */
void qemu_set_clock(int64_t utc_s);
/* Rows of load profile 1: stamped from..to; its entries first..last. */
size_t qemu_rows_between(int64_t from_s, int64_t to_s);
size_t qemu_entries(uint32_t first, uint32_t last);

#endif
