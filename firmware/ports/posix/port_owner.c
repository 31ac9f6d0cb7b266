/* Looks the listening socket up in /proc/net/tcp and its inode in the processes' open files. */
#include "firmware/ports/posix/port_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A

static bool find_inode(const char *table, uint16_t port, unsigned long *inode)
{
    char line[512];
    bool found = false;
    FILE *f = fopen(table, "r");
    if (f == NULL)
        return false;
    while (!found && fgets(line, sizeof line, f) != NULL) {
        unsigned local_port, state;
        found = sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                       &local_port, &state, inode) == 3 &&
                local_port == port && state == STATE_LISTEN;
    }
    fclose(f);
    return found;
}

static bool has_file(const char *pid, const char *target)
{
    char path[600];
    char link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    bool found = false;
    for (struct dirent *e = readdir(dir); e != NULL && !found; e = readdir(dir)) {
        snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, e->d_name);
        ssize_t n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        found = strcmp(link, target) == 0;
    }
    closedir(dir);
    return found;
}

static void name_process(const char *pid, char *text, size_t size)
{
    char path[600], name[32] = "";
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        if (fgets(name, sizeof name, f) != NULL)
            name[strcspn(name, "\n")] = '\0';
        fclose(f);
    }
    snprintf(text, size, "%s (process %s)", name[0] != '\0' ? name : "?", pid);
}

bool port_owner(uint16_t port, char *text, size_t size)
{
    unsigned long inode;
    char target[48];
    if (!find_inode("/proc/net/tcp", port, &inode) && !find_inode("/proc/net/tcp6", port, &inode))
        return false;
    snprintf(target, sizeof target, "socket:[%lu]", inode);
    DIR *dir = opendir("/proc");
    if (dir == NULL)
        return false;
    bool found = false;
    for (struct dirent *e = readdir(dir); e != NULL && !found; e = readdir(dir)) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || !has_file(e->d_name, target))
            continue;
        name_process(e->d_name, text, size);
        found = true;
    }
    closedir(dir);
    return found;
}
