/* Words to whoever runs the image under a debugger or QEMU (Arm semihosting): results of tests
 * only. Without a debugger these calls fault, so no product links this file. */
#ifndef FERRARIS_MPS2_SEMIHOSTING_H
#define FERRARIS_MPS2_SEMIHOSTING_H

void mps2_semihosting_print(const char *text);
void mps2_semihosting_exit(void); /* QEMU ends, with status 0 */

#endif
