/* Starting and stopping an instance. */
#ifndef APP_INSTANCE_POWER_H
#define APP_INSTANCE_POWER_H

#include "aws/rds.h"

enum instance_power {
	INSTANCE_POWER_ON,
	INSTANCE_POWER_OFF,
};

/*
 * Starts or stops the instance and prints one line on stdout: "unchanged ID", "starting ID",
 * "available ID HOST:PORT", "stopping ID", "stopped ID". What is so already, or on its way there,
 * is success. With wait_seconds >= 0 it waits until an instance that is in between can be switched,
 * and then until it is where it shall be, so long altogether. Of one that stops it tells when AWS
 * starts it again. Fails as instance_wait does, and with FAILED when AWS says no.
 */
int instance_switch(struct aws *aws, const char *id, enum instance_power power, double wait_seconds,
	struct err *err);

#endif
