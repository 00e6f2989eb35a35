"""Runs a program as a kernel of 2013 would: every system call that came after Linux 3.10 is answered ENOSYS
(x86-64). A seccomp filter does so, because this machine has one kernel; the numbers only ever grew.

    python3 old_kernel.py PROGRAM ARGUMENT..."""

import ctypes
import os
import struct
import sys

LAST_OF_3_10 = 313  # finit_module
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
UNAME26 = 0x0020000  # uname() says 2.6: OpenSSL believes in no /dev/urandom of a kernel that must have getrandom
ENOSYS = 0x00050000 | 38
ALLOW = 0x7FFF0000


def instruction(code, jump_true, jump_false, value):
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def main():
    program = (instruction(0x20, 0, 0, 0)  # the number of the call
               + instruction(0x25, 0, 1, LAST_OF_3_10)  # greater?
               + instruction(0x06, 0, 0, ENOSYS)
               + instruction(0x06, 0, 0, ALLOW))
    text = ctypes.create_string_buffer(program)
    header = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.personality(UNAME26)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(header), 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
