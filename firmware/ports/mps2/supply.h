/* The supply's supervisor. The board has none that a simulator could move, so UART 1 plays it: an
 * 'F' says that the supply is about to fail, a 'C' that it is cut at once. */
#ifndef FERRARIS_MPS2_SUPPLY_H
#define FERRARIS_MPS2_SUPPLY_H

enum mps2_supply { MPS2_SUPPLY_GOOD, MPS2_SUPPLY_FAILS, MPS2_SUPPLY_CUT };

void mps2_supply_init(void);
enum mps2_supply mps2_supply(void);
/* The processor begins anew, as when the supply comes back. Does not return. */
_Noreturn void mps2_supply_reset(void);

#endif
