"""How a process that ends with its work should use memory: a setting of glibc's, for its environment."""

from __future__ import annotations

# By default glibc gives large freed blocks back to the system at once, and each new one is mapped and cleared again: a third of
# the processor time of a large workbook. Other systems ignore these variables.
KEEP_FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 26), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
