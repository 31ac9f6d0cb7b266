/* The portable backend under the names of portable_names.h. */
#include "tests/lib/crypto/portable_names.h"

#include "lib/crypto/crypto_gcm.c"
#include "lib/crypto/crypto_once.c"
#include "lib/crypto/crypto_portable.c"
