/* The product's image tells nobody anything. */
#include "firmware/images/dlms_small/small_meter.h"

void small_report(void)
{
}
