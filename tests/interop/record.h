/* Serves the meter of dialogue.h on loopback and writes what is said as a vector of replay.h. */
#ifndef FERRARIS_TESTS_INTEROP_RECORD_H
#define FERRARIS_TESTS_INTEROP_RECORD_H

/* argv: --record MODEL LINK PORT FILE. Until it is killed; the exit code when it cannot begin. */
int record(char **argv);

#endif
