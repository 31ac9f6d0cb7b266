/* The disconnector's table: which command, by whom, leads from which state to which, in each mode
 * of control. Data only: a meter asks it for commands of clients, of its button and of its limiter
 * alike. Blue Book 4.5.8
 *
 *          b remote_disconnect                     g local, f manual disconnect
 *     +------------------------- connected ----------------------------+
 *     |     +--------------------->  (1)  <---------------------+      |
 *     v     | a remote_reconnect            e manual, h local,  |      v
 *  disconnected                             i remote reconnect  |   ready for
 *     (0)   ------------------ d remote_reconnect ----------->  +--  reconnection (2)
 *           <----------------- c remote_disconnect ------------
 *
 * The contact is closed in state 1 and open in the others. */
#ifndef FERRARIS_COSEM_DISCONNECT_H
#define FERRARIS_COSEM_DISCONNECT_H

#include <stdint.h>

enum disconnect_state {
    DISCONNECT_DISCONNECTED = 0,
    DISCONNECT_CONNECTED = 1,
    DISCONNECT_READY = 2 /* a local or manual command may close the contact */
};
enum disconnect_event {
    DISCONNECT_REMOTE_OFF,
    DISCONNECT_MANUAL_OFF,
    DISCONNECT_LOCAL_OFF,
    DISCONNECT_REMOTE_ON,
    DISCONNECT_MANUAL_ON,
    DISCONNECT_LOCAL_ON
};
#define DISCONNECT_MODES 8 /* 0 never disconnects; 7 is in version 1 of the class only */

/* The state after the event; the same one where mode and state have no transition for it, and for
 * an unknown mode. */
uint8_t disconnect_next(uint8_t mode, uint8_t state, enum disconnect_event event);

#endif
