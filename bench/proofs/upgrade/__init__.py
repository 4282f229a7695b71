"""A gate after an older one."""
